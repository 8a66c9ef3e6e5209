"""A training as one HTML page: is the model fit to run, and what will it do?

    older = older_model(out)                      # before it is replaced
    version = save_bundle(model, out, …)
    comparison = compared(older, model, sessions, extra, labels, config)
    report = training_report(model, version, sessions, trained_at=now, …)
    write_training_report(report, out)

model.figures (numbers), templates, classes ──▶ TrainingReport ──▶ one page
"""

from elkwatch.training_report.collect import training_report
from elkwatch.training_report.data import Comparison, TrainingReport
from elkwatch.training_report.page import (
    build_training_report,
    write_training_report,
)
from elkwatch.training_report.verdict import who_decides
from elkwatch.training_report.versus import compared, older_model

__all__ = [
    "Comparison",
    "TrainingReport",
    "build_training_report",
    "compared",
    "older_model",
    "training_report",
    "who_decides",
    "write_training_report",
]
