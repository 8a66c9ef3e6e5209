"""The past as the service would have lived it; nothing is written, nothing is sent.

config, period ─▶ the service itself, its clock moved from tick to tick
    findings, alert state, cursor, lease ─▶ memory     messages ─▶ counted
─▶ BacktestResult ─▶ text or JSON
"""

from elkwatch.backtest.period import Period, period_of, step_for
from elkwatch.backtest.record import record
from elkwatch.backtest.result import BacktestResult
from elkwatch.backtest.rounds import Options, Round, backtest
from elkwatch.backtest.text import told

__all__ = [
    "BacktestResult",
    "Options",
    "Period",
    "Round",
    "backtest",
    "period_of",
    "record",
    "step_for",
    "told",
]
