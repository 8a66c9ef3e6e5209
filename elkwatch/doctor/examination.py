"""Runs checks one after the other; none that fails or crashes stops the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from elkwatch.cli.failures import explain
from elkwatch.doctor.records import Check, Line, Outcome, skipped
from elkwatch.program_log import masked

_WORKED = {"ok", "warn"}


def examine(checks: Iterable[Check]) -> Iterator[Line]:
    """The lines of all checks, in their order, each as soon as it is known.

    A check whose needs did not work is skipped, and so is what needs that one.
    """
    worked: dict[str, bool] = {}
    for check in checks:
        lacking = [name for name in check.needs if not worked.get(name, False)]
        found = [skipped(f"needs {lacking[0]}")] if lacking else _outcomes(check)
        worked[check.name] = not lacking
        for outcome in found:
            worked[check.name] &= outcome.status in _WORKED
            yield _line(check, outcome)


def _outcomes(check: Check) -> Iterator[Outcome]:
    """What a check finds; what it raises, Ctrl-C apart, is a failure of its own."""
    try:
        yield from check.run()
    except Exception as error:
        told = explain(error).line
        what, _, cure = told.rpartition("; ")
        yield Outcome("fail", what or told, cure if what else "")


def _line(check: Check, outcome: Outcome) -> Line:
    return Line(
        check.name,
        outcome.status,
        _one_line(outcome.what),
        _one_line(outcome.cure),
    )


def _one_line(text: str) -> str:
    """No line break, no control character and no secret, wherever the text is from."""
    plain = "".join(c if c.isprintable() else " " for c in masked(text))
    return " ".join(plain.split())
