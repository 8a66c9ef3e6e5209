"""A period as one HTML page: what was found, what to do, how the pipeline did.

    data = report_data_from_documents(findings, runs, generated_at=clock.now())
    Path("report.html").write_text(build_report(data), encoding="utf-8")

findings, runs (documents) ──▶ ReportData (bounded) ──▶ one self-contained page
"""

from elkwatch.report.collect import report_data_from_documents
from elkwatch.report.data import (
    ClassEntry,
    Evidence,
    FindingEntry,
    ReportData,
    Share,
    SourceHealth,
    Table,
    Timeline,
)
from elkwatch.report.page import build_report, log_text, safe_link

__all__ = [
    "ClassEntry",
    "Evidence",
    "FindingEntry",
    "ReportData",
    "Share",
    "SourceHealth",
    "Table",
    "Timeline",
    "build_report",
    "log_text",
    "report_data_from_documents",
    "safe_link",
]
