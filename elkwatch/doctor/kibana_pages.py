"""Kibana, where it is configured: does it answer, and are our dashboards in it?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from elkwatch.doctor.case import Case
from elkwatch.doctor.cluster import CONNECTION
from elkwatch.doctor.records import Check, Outcome, ok, warn
from elkwatch.kibana_objects import kibana_objects
from elkwatch.kibana_place import install_store, open_kibana
from kibana import KibanaNotAuthenticated, install

_INSTALL = "run `elkwatch dashboards install`"


def checks(case: Case) -> list[Check]:
    """The checks of this group; none where there is no Kibana in the configuration."""
    settings = case.config.kibana
    if settings is None:
        return [Check("kibana", _none)]
    if settings.api_key is None and settings.username is None:
        return [Check("kibana", lambda: _links_only(case))]
    return [
        Check("kibana", lambda: _answers(case)),
        Check("dashboards", lambda: _installed(case), ("kibana", CONNECTION)),
    ]


def _none() -> Iterator[Outcome]:
    yield ok("not configured (kibana.url): no dashboards, no links in messages")


def _links_only(case: Case) -> Iterator[Outcome]:
    """Without a key Kibana may tell no more than that it is there; links need that."""
    kibana = open_kibana(case.config)
    try:
        kibana.check()
    except KibanaNotAuthenticated:
        yield ok(f"{kibana.where} answers; without a key it is there for links only")
    else:
        yield ok(f"{kibana.where} answers, without a key")


def _answers(case: Case) -> Iterator[Outcome]:
    kibana = open_kibana(case.config)
    info = kibana.check()
    told = f"{kibana.where}: version {info.version or 'not told'}, {info.level}"
    if info.level == "available":
        yield ok(told)
    else:
        yield warn(told, "its own status page says what it lacks")


def _installed(case: Case) -> Iterator[Outcome]:
    """What `elkwatch dashboards install` would do; nothing is sent."""
    steps = install(
        open_kibana(case.config),
        kibana_objects(case.config),
        install_store(case.client, case.config.namespace),
        case.now,
        on_edits="keep",
        dry_run=True,
    )
    found = Counter(step.change for step in steps)
    missing, old = found["create"], found["update"]
    told = f"{len(steps)} objects"
    if missing or old:
        yield warn(f"{told}: {missing} missing, {old} of another version", _INSTALL)
    elif found["kept"]:
        yield ok(f"{told}, {found['kept']} of them edited by people")
    else:
        yield ok(f"{told}, all as they should be")
