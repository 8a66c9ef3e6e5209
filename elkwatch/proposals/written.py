"""The proposed sources as a commented `elkwatch.yml`.

What comes from the cluster is written as a YAML scalar or, in comments, as one
printable line, so that no name can add a key. Secrets are references, never values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from connector import SourceSpec
from elkwatch.config import duration_text
from elkwatch.proposals.propose import Proposal
from elkwatch.proposals.shown import scalar, shown
from elkwatch.proposals.survey import Survey

_WIDTH = 30

_HEAD = """\
# elkwatch configuration, proposed by `elkwatch init` from what the cluster holds.
#
# Read the reasons beside each source, delete what you do not want to watch, then:
#   elkwatch config check
#   elkwatch train --from-es SOURCE --from now-7d --out models/SOURCE
# `elkwatch config example` shows every other key; docs/configuration.md explains them.
"""

_TAIL = """\
schedule:
  interval: 60s
  query_delay: 30s                # documents still on their way

privacy:
  mask: [email, ip, card, token]  # in every excerpt that leaves elkwatch

# Where findings are sent; without a channel they are only written to Elasticsearch.
# alerting:
#   channels:
#     - name: ops-mail
#       kind: email
#       from: elkwatch@example.org
#       to: [ops@example.org]
#       smtp: {host: smtp.example.org, port: 587, security: starttls}
#     - name: ops-hook
#       kind: webhook
#       url: "https://hooks.example.org/elkwatch"
#       secret: {env: ELKWATCH_WEBHOOK_SECRET}
"""

Reference = str | Mapping[str, str] | Sequence[str]


def configuration(survey: Survey, elasticsearch: Mapping[str, Reference]) -> str:
    """The file. `elasticsearch`: its section, secrets as `{file: …}` or `{env: …}`."""
    lines = [_HEAD, "elasticsearch:"]
    lines += [f"  {key}: {_value(value)}" for key, value in elasticsearch.items()]
    lines += ["", "namespace: default", "", "sources:"]
    for name, proposal in named(survey.proposals):
        lines += [*_source(name, proposal), ""]
    if survey.passed_over:
        lines.append("# Not proposed:")
        lines += [
            f"#   {shown(one.name)}: {shown(one.reason)}" for one in survey.passed_over
        ]
        lines.append("")
    return "\n".join([*lines, _TAIL])


def named(proposals: Sequence[Proposal]) -> list[tuple[str, Proposal]]:
    """The proposals with a name each that the configuration takes, all different."""
    taken: set[str] = set()
    found = []
    for proposal in proposals:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", proposal.data_set.name).strip("._-")
        plain = re.sub(r"-{2,}", "-", plain)
        stem = plain[:80] or "logs"
        name, number = stem, 1
        while name in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name)
        found.append((name, proposal))
    return found


def _source(name: str, proposal: Proposal) -> Iterator[str]:
    spec = proposal.spec
    fitness = proposal.fitness
    yield f"  # {fitness.grade}: {shown(fitness.reasons[0])}"
    for line in (*fitness.reasons[1:], *proposal.notes):
        yield f"  # {shown(line)}"
    yield f"  - name: {scalar(name)}"
    yield f"    index: {scalar(spec.index)}"
    for key, path in role_fields(proposal).items():
        yield f"    {key}: {scalar(path)}"
    session = session_text(spec)
    if session is None:
        yield "    # session: windows of 5 minutes per service and host"
    else:
        comment = "a key that ends" if spec.session.ends else "keys that never end"
        yield f"    session: {session}  # {comment}"
    for other in proposal.others:
        yield f"    # not {shown(other.candidate.text)}: {shown(other.why_not)}"
    if spec.session.ends:
        idle = duration_text(timedelta(seconds=proposal.timeout_s))
        age = duration_text(timedelta(seconds=proposal.age_s))
        yield (
            f"    session_timeout: {idle}".ljust(_WIDTH)
            + "  # closed when idle so long"
        )
        yield f"    max_session_age: {age}".ljust(_WIDTH) + "  # an older one is cut"
    yield "    start: now-15m".ljust(_WIDTH) + "  # now-…, an ISO time, or earliest"
    yield (
        f"    model: {scalar('models/' + name)}".ljust(_WIDTH) + "  # `elkwatch train`"
    )


def role_fields(proposal: Proposal) -> dict[str, str]:
    """The keys of a source that say which field means what, where one was found."""
    roles = proposal.roles
    found = {
        "message_field": roles.message,
        "time_field": roles.time,
        "severity_field": roles.severity,
        "service_field": roles.service,
        "host_field": roles.host,
        "sequence_field": roles.sequence,
    }
    return {key: path for key, path in found.items() if path is not None}


def session_text(spec: SourceSpec) -> str | None:
    """The session rule as YAML in one line; None for the default windows."""
    rule = spec.session
    if rule.field:
        return f"{{field: {scalar(rule.field)}}}"
    if rule.pattern:
        return f"{{pattern: {scalar(rule.pattern)}}}"
    if rule.fields:
        fields = ", ".join(map(scalar, rule.fields))
        window = duration_text(timedelta(seconds=rule.unit_s or 0))
        return f"{{fields: [{fields}], window: {window}}}"
    return None


def _value(value: Reference) -> str:
    if isinstance(value, str):
        return scalar(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key}: {scalar(text)}" for key, text in value.items())
        return f"{{{inner}}}"
    return f"[{', '.join(map(scalar, value))}]"
