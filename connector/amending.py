"""A finding that was written before: what of it is new, and how it goes on."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from connector.findings import QUIET, Finding
from connector.timestamps import to_iso


def finding_content(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a finding says, without when it was written."""
    content = dict(document)
    content["event"] = {
        name: value for name, value in document["event"].items() if name != "ingested"
    }
    content["elkwatch"] = {
        name: value
        for name, value in document["elkwatch"].items()
        if name not in {"amended_at", "revision"}
    }
    content["elkwatch"]["class"] = {
        name: value
        for name, value in document["elkwatch"]["class"].items()
        if name != "before"
    }
    return content


def amended(
    document: dict[str, Any], known: Mapping[str, Any], at: datetime
) -> dict[str, Any]:
    """The new content under the time of the first; it is the same finding still."""
    document["event"]["ingested"] = known["event"]["ingested"]
    document["elkwatch"]["amended_at"] = to_iso(at)
    document["elkwatch"]["revision"] = known["elkwatch"].get("revision", 0) + 1
    new, old = document["elkwatch"]["class"], known["elkwatch"]["class"]
    if "before" in old and new["id"] == old["id"]:
        new["before"] = old["before"]
    return document


def as_told(finding: Finding, before: str | None) -> Finding:
    """The finding as it goes on: once people may know of it, it is not quiet again."""
    if finding.status in QUIET and before == "open":
        return replace(finding, status="open")
    return finding
