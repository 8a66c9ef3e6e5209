"""What elkwatch writes: index templates, mappings, lease, outbox, dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from alerting import build
from connector import (
    STATE_KINDS,
    ElasticStateStore,
    Lease,
    Owner,
    PrivilegeMissing,
    Retention,
    compare,
    dead_letters,
    disk_free,
    governing_templates,
    last_run,
    mapped_types,
    run_stream_name,
    state_index,
    stream_name,
    templates,
    write_blocks,
)
from elkwatch.alert_store import AlertStateStore
from elkwatch.config import translate
from elkwatch.doctor.case import IMPATIENT, Case
from elkwatch.doctor.cluster import CONNECTION
from elkwatch.doctor.records import Check, Outcome, fail, ok, skipped, warn
from elkwatch.doctor.words import length
from elkwatch.log_files import plural
from elkwatch.reference.fields import mapped_fields

_LETTERS_PERIOD = timedelta(days=1)
_OWED_LONG = timedelta(minutes=15)
_LEAST_FREE = 0.1
_SETUP = "run `elkwatch setup` with the privileges of setup"


def checks(case: Case) -> list[Check]:
    """The checks of this group."""
    needs = (CONNECTION,)
    return [
        Check("index templates", lambda: _templates(case), needs),
        Check("mappings", lambda: _mappings(case), needs),
        Check("writing", lambda: _writing(case), needs),
        Check("lease", lambda: _lease(case), needs),
        Check("outbox", lambda: _outbox(case), needs),
        Check("dead letters", lambda: _dead_letters(case), needs),
        *(
            Check(f"last run of {s.name}", partial(_last_run, case, s.name), needs)
            for s in case.sources
        ),
    ]


def _templates(case: Case) -> Iterator[Outcome]:
    """Each of ours is there, is of this version, and no other comes before it."""
    kept = case.config.retention
    fine = []
    for action in compare(case.client, Retention(kept.findings, kept.metrics)):
        match action.change:
            case "create":
                yield fail(f"{action.name} is missing", _SETUP)
            case "update":
                yield warn(f"{action.name} is of another version or retention", _SETUP)
            case "keep newer":
                yield warn(
                    f"{action.name} is of a newer elkwatch", "upgrade this one, too"
                )
            case _:
                fine.append(action.name)
    yield from _rivals(case)
    if fine:
        yield ok(f"{', '.join(fine)}: up to date")


def _rivals(case: Case) -> Iterator[Outcome]:
    names = _names(case.config.namespace)
    for name, found in governing_templates(case.client, names).items():
        if found is not None and found[0] != names[name]:
            yield fail(
                f"index template {found[0]} (priority {found[1]}) comes before "
                f"elkwatch's for {name}",
                "narrow its index patterns, or give it a priority below 501",
            )


def _names(namespace: str) -> dict[str, str]:
    """What is written, and the index template that is to make it."""
    return {
        stream_name(namespace): "logs-elkwatch.anomaly",
        run_stream_name(namespace): "metrics-elkwatch.run",
        **{state_index(k, namespace): "elkwatch-state" for k in STATE_KINDS},
        state_index("dead-letters", namespace): "elkwatch-dead-letters",
    }


def _mappings(case: Case) -> Iterator[Outcome]:
    """Whether the stream has the mapping of our template, not that of another."""
    stream = stream_name(case.config.namespace)
    wanted = {
        field.path: field.type
        for field in mapped_fields(templates()["logs-elkwatch.anomaly"])
        if not field.type.startswith("object")
    }
    found = mapped_types(case.client, stream, wanted)
    if found is None:
        yield ok(f"{stream} is yet to be made, by the first finding")
        return
    wrong = {p: t for p, t in found.items() if t and t != (wanted[p],)}
    lacking = [p for p, t in found.items() if not t]
    if not wrong and not lacking:
        yield ok(f"{stream}: {len(wanted)} fields as they should be")
    for path, types in list(wrong.items())[:3]:
        yield fail(
            f"{stream}: {path} is mapped as {' and '.join(types)}, not {wanted[path]}",
            f"{_SETUP}; what is written before stays as it is",
        )
    if lacking:
        yield warn(f"{stream}: has no field {', '.join(lacking[:3])}", _SETUP)


def _writing(case: Case) -> Iterator[Outcome]:
    """Elasticsearch closes indices for writing when its disk is full."""
    blocks = write_blocks(case.client, case.config.namespace)
    for name, why in blocks.items():
        what = "the whole cluster" if name == "*" else name
        yield fail(
            f"{what} is closed for writing: {why}",
            "free disk space, then remove the block from the settings",
        )
    if not blocks:
        yield ok("nothing of elkwatch's is closed for writing")
    for node, share in disk_free(case.client).items():
        if share < _LEAST_FREE:
            yield warn(
                f"node {node} has {share:.0%} of its disk free",
                "at 5 % Elasticsearch closes indices for writing: free some",
            )


def _lease(case: Case) -> Iterator[Outcome]:
    store = ElasticStateStore(case.client, case.config.namespace, retry=IMPATIENT)
    lease = Lease(store, "run", Owner.this_process(), case.clock)
    holder = lease.holder()
    if holder is None:
        yield ok("free: no service works on this namespace now")
        return
    left = holder.expires_at - case.now
    told = f"{holder} works; it has the lease for another {length(left)}"
    if left > timedelta(seconds=2 * lease.ttl_s):
        yield warn(told, "its clock is ahead: let all machines keep time by NTP")
    else:
        yield ok(told)


def _outbox(case: Case) -> Iterator[Outcome]:
    """Messages that were given up, or are owed for long."""
    settings = translate.alerting_config(case.config.alerting)
    state = ElasticStateStore(case.client, case.config.namespace, retry=IMPATIENT)
    outbox = build(settings, AlertStateStore(state), case.clock).outbox
    dead = outbox.rows(("dead",))
    owed = outbox.rows(("pending", "sending"))
    if dead:
        yield warn(
            f"{plural(len(dead), 'message')} given up (last: {dead[-1].reason})",
            "mend the channel, then `elkwatch alerts list --owed` and `alerts replay`",
        )
    late = [row for row in owed if case.now - row.owed_since > _OWED_LONG]
    if late:
        yield warn(
            f"{plural(len(late), 'message')} owed for up to "
            f"{length(case.now - min(row.owed_since for row in late))}",
            "see the lines of the channels, and whether `elkwatch run` runs",
        )
    if not dead and not late:
        yield ok(f"{plural(len(owed), 'message')} owed, none given up")


def _dead_letters(case: Case) -> Iterator[Outcome]:
    number = dead_letters(
        case.client, case.config.namespace, case.now - _LETTERS_PERIOD
    )
    if not number:
        yield ok("none in the last day")
        return
    index = state_index("dead-letters", case.config.namespace)
    yield warn(
        f"{plural(number, 'document')} given up in the last day",
        f"{index} holds each with its reason",
    )


def _last_run(case: Case, source: str) -> Iterator[Outcome]:
    """The role of the service may write its figures and not read them."""
    try:
        run = last_run(case.client, case.config.namespace, source)
    except PrivilegeMissing:
        stream = run_stream_name(case.config.namespace)
        yield skipped(f"{stream} may not be read by these credentials, nor need be")
        return
    if run is None:
        yield ok("there was none yet")
        return
    behind = None if run.lag_s is None else timedelta(seconds=run.lag_s)
    lag = "" if behind is None else f", {length(behind)} behind"
    told = (
        f"{length(case.now - run.at)} ago, {plural(run.documents, 'document')}{lag}, "
        f"{run.unknown_ratio:.0%} unknown"
    )
    if run.failure is not None:
        yield warn(f"{told}; it failed: {run.failure}", "see the line of the source")
    else:
        yield ok(told)
