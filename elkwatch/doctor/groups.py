"""All checks of a case, in the order in which they are told."""

from __future__ import annotations

from elkwatch.doctor import (
    channels,
    cluster,
    kibana_pages,
    machine,
    models,
    sources,
    written,
)
from elkwatch.doctor.case import Case
from elkwatch.doctor.records import Check

_GROUPS = (machine, cluster, written, sources, models, channels, kibana_pages)


def all_checks(case: Case) -> list[Check]:
    """Every check; what a check needs comes before it."""
    return [check for group in _GROUPS for check in group.checks(case)]
