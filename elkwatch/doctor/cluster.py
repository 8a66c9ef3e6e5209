"""Elasticsearch: connection, certificate, version, health, clock, privileges."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from connector import cluster_time, connect, preflight, try_privileges
from elkwatch.config import translate
from elkwatch.doctor.case import Case
from elkwatch.doctor.certificates import expiry, is_loopback
from elkwatch.doctor.records import Check, Outcome, fail, ok, warn
from elkwatch.doctor.words import length

CONNECTION = "elasticsearch"

# What elkwatch is tried with. Others from `connector.client.OLDEST_VERSION` on may do.
_TRIED_FROM, _TRIED_MAJOR = (8, 19), 9
_RENEW_BEFORE = timedelta(days=21)
_SKEW = timedelta(seconds=5)
_SKEW_HARMFUL = timedelta(seconds=30)


def checks(case: Case) -> list[Check]:
    """The checks of this group."""
    needs = (CONNECTION,)
    return [
        Check(CONNECTION, lambda: _connection(case)),
        Check("certificate", lambda: _certificate(case), needs),
        Check("version", lambda: _version(case), needs),
        Check("health", lambda: _health(case), needs),
        Check("clock", lambda: _clock(case), needs),
        Check("privileges", lambda: _privileges(case), needs),
    ]


def _connection(case: Case) -> Iterator[Outcome]:
    case.client = connect(translate.client_config(case.config.elasticsearch))
    case.info = preflight(case.client)
    hosts = ", ".join(case.config.elasticsearch.hosts)
    yield ok(f"{hosts} answers: cluster {case.info.cluster_name}")


def _certificate(case: Case) -> Iterator[Outcome]:
    """Of each host, as this machine sees it: a proxy may show one of its own."""
    settings = case.config.elasticsearch
    timeout_s = settings.request_timeout.total_seconds()
    for host in settings.hosts:
        url = urlsplit(host)
        if url.scheme != "https" and is_loopback(url.hostname or ""):
            yield ok(f"{host}: no TLS, and it does not leave this machine")
            continue
        if url.scheme != "https":
            yield warn(
                f"{host}: no TLS, so passwords and logs can be read on the way",
                "use https:// wherever the network is not this machine's own",
            )
            continue
        assert url.hostname is not None  # the configuration has seen to it
        try:
            ends = expiry(url.hostname, url.port or 443, timeout_s)
        except (OSError, ssl.SSLError, ValueError) as error:
            yield warn(f"{host}: its certificate cannot be looked at ({error})", "")
            continue
        left = ends - datetime.now(UTC)
        told = f"{host}: valid until {ends:%Y-%m-%d}, {length(left)} from now"
        if left < _RENEW_BEFORE:
            yield warn(told, "renew it on the server before it ends")
        else:
            yield ok(told)


def _version(case: Case) -> Iterator[Outcome]:
    assert case.info is not None
    told = " and ".join(case.info.versions)
    parts = [int(p) for p in case.info.version.split("-")[0].split(".")[:2]]
    if (parts[0], parts[1]) < _TRIED_FROM or parts[0] > _TRIED_MAJOR:
        yield warn(told, "elkwatch is tried with 8.19 and 9.x; others may do")
    elif len(case.info.versions) > 1:
        yield warn(f"nodes of {told}", "finish the upgrade of the cluster")
    else:
        yield ok(told)


def _health(case: Case) -> Iterator[Outcome]:
    assert case.info is not None
    match case.info.status:
        case "green":
            yield ok("green")
        case "yellow":
            yield ok("yellow: some replicas have no place; elkwatch works all the same")
        case status:
            yield fail(
                f"{status}: some shards do not answer",
                "see GET _cluster/allocation/explain; nothing is lost meanwhile",
            )


def _clock(case: Case) -> Iterator[Outcome]:
    """Half the time the question took is taken for the way back."""
    asked = case.now
    theirs = cluster_time(case.client)
    answered = case.now
    skew = theirs - (asked + (answered - asked) / 2)
    if abs(skew) <= _SKEW:
        yield ok(f"agrees with Elasticsearch's to {length(_SKEW)}")
        return
    way = "behind" if skew > timedelta() else "ahead of"
    told = f"this machine's clock is {length(skew)} {way} Elasticsearch's"
    cure = "let both keep time by NTP"
    if abs(skew) > _SKEW_HARMFUL:
        yield fail(f"{told}: documents are read too early or too late", cure)
    else:
        yield warn(told, cure)


def _privileges(case: Case) -> Iterator[Outcome]:
    """Each of the run role, tried; nothing is written by it."""
    specs = [translate.source_spec(s) for s in case.sources]
    tried = asked = 0
    for trial in try_privileges(case.client, specs, case.config.namespace):
        privilege = trial.privilege
        if trial.standing == "missing":
            yield fail(
                f"the {privilege} is missing, needed for {privilege.purpose}",
                "grant it (`elkwatch setup --roles` prints the whole role)",
            )
        elif trial.standing == "unknown":
            yield warn(f"the {privilege} could not be tried ({trial.note})", "")
        else:
            tried, asked = tried + trial.tried, asked + (not trial.tried)
    also = f", {asked} confirmed by asking" if asked else ""
    yield ok(f"{tried} held, found by trying{also}; nothing was written")
