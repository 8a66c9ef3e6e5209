"""What is proposed for which documents: columns and events in, choices out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import yaml

from connector import Sample, SessionRule, SourceSpec, grouped
from elkwatch.proposals import fitness
from elkwatch.proposals.keys import (
    Candidate,
    field_candidates,
    pattern_candidates,
    trust,
)
from elkwatch.proposals.propose import best_rule, window_rule
from elkwatch.proposals.roles import Roles, choose, time_fields
from elkwatch.proposals.shown import scalar, shown
from elkwatch.proposals.survey import paths_to_look_at
from model import LogEvent
from tests.elkwatch.proposals_samples import (
    ECS_TYPES,
    NOON,
    OTEL_TYPES,
    RSYSLOG_TYPES,
    columns,
    connections,
    otel,
    rsyslog,
)

EVIL = [
    "a: b",
    "x\ninjected: true",
    "- a",
    "'",
    '"',
    "#no",
    "yes",
    "null",
    "1e3",
    "2026-01-01",
    "!!python/object/apply:os.system ['id']",
    "*alias",
    "&anchor",
    "{a: b}",
    "[a]",
    "\x1b[2J\x07",
    "\u2028",
    "\x85",
    "\ud83d\ude00 🐎",
    "@timestamp",
    " ",
    "%TAG",
    "a\tb",
    "é" * 500,
    "0x1f",
    "~",
]


class TestRoles:
    def test_ecs(self) -> None:
        found = choose("@timestamp", columns(list(connections(50)), ECS_TYPES))
        assert found == Roles(
            "@timestamp", "message", "log.level", "service.name", "host.name"
        )

    def test_dotted_keys_of_rsyslog(self) -> None:
        found = choose("@timestamp", columns(list(rsyslog(50)), RSYSLOG_TYPES))
        assert found == Roles(
            "@timestamp", "message", "log.level", "log.syslog.appname", "host.name"
        )

    def test_opentelemetry(self) -> None:
        found = choose("@timestamp", columns(list(otel(50)), OTEL_TYPES))
        assert found == Roles(
            "@timestamp",
            "body.text",
            "severity_text",
            "resource.attributes.service.name",
            "resource.attributes.host.name",
        )

    @pytest.mark.parametrize("name", ["event.original", "log", "msg", "payload"])
    def test_other_names_of_the_message(self, name: str) -> None:
        documents = [{name: f"job {n} was done in time", "a": "b"} for n in range(9)]
        found = choose("t", columns(documents, {name: "keyword", "a": "keyword"}))
        assert found is not None
        assert found.message == name

    def test_numbers_are_no_message(self) -> None:
        documents = [{"message": n, "cpu": 0.5} for n in range(9)]
        types = {"message": "long", "cpu": "double"}
        assert choose("t", columns(documents, types)) is None

    def test_a_line_number_orders_equal_times(self) -> None:
        documents = [{"m": "a b c", "db": {"line_number": n}} for n in range(9)]
        types = {"m": "text", "db.line_number": "long"}
        found = choose("t", columns(documents, types))
        assert found is not None
        assert found.sequence == "db.line_number"

    def test_time_fields(self) -> None:
        types = {
            "event.ingested": ["date"],
            "event.created": ["date"],
            "@timestamp": ["keyword"],
            "x.when": ["date_nanos"],
            "mixed": ["date", "keyword"],
        }
        assert time_fields(types) == ["event.created", "x.when"]

    def test_of_many_fields_few_are_looked_at(self) -> None:
        many = {f"f{n:04}": ("keyword",) for n in range(5000)}
        named = {"zz.session": ("keyword",), "body.text": ("text",)}
        found = paths_to_look_at(many | named, "@timestamp")
        assert len(found) == 150
        assert set(named) <= set(found)


class TestKeys:
    def test_sessions_win_over_processes(self) -> None:
        found = field_candidates(columns(list(connections(60)), ECS_TYPES))
        assert [c.rule.field for c in found] == [
            "postgresql.log.session_id",
            "process.pid",
        ]

    @pytest.mark.parametrize(
        "path", ["event.id", "agent.id", "host.name", "span.id", "log.offset", "tags"]
    )
    def test_names_of_one_line_or_of_all_are_not_trusted(self, path: str) -> None:
        assert trust(path) < 0.3

    @pytest.mark.parametrize(
        "path",
        ["session.id", "trace.id", "transaction.id", "http.request.id", "container.id"],
    )
    def test_names_of_what_ends_are(self, path: str) -> None:
        assert trust(path) > 0.8

    @pytest.mark.parametrize(
        ("message", "pattern"),
        [
            ("Receiving block blk_{}4394112519745907149 src: /10.0.0.1", r"blk_-?\d+"),
            (
                "job started request_id={}b3f9 in 3 ms",
                r'request_id="?([\w.-]+)',
            ),
            ("closing req-{}123", r"req--?\d+"),
        ],
    )
    def test_keys_in_messages(self, message: str, pattern: str) -> None:
        messages = [message.format(sign) for sign in ("", "-") if message] * 5
        if "=" in message:
            messages = [message.format(n) for n in range(10)]
        found = pattern_candidates(messages)
        assert pattern in [c.rule.pattern for c in found]

    def test_no_key_in_prose(self) -> None:
        assert pattern_candidates(["the disk is full", "it is not"] * 10) == []

    def test_a_hostile_message_takes_no_time(self) -> None:
        evil = ["a" * 100_000, "id" * 50_000, "-1" * 50_000, "_ -" * 40_000]
        assert pattern_candidates(evil * 20) is not None


SPEC = SourceSpec("s", "s")


def sample_of(documents: list[dict[str, Any]], types: dict[str, str]) -> Sample:
    return Sample(documents, {path: (kind,) for path, kind in types.items()})


class TestBestRule:
    def test_the_session_of_a_database(self) -> None:
        sample = sample_of(list(connections(200)), ECS_TYPES)
        keys = field_candidates(sample.columns(ECS_TYPES))
        best, others = best_rule(sample, SPEC, keys)
        assert best is not None
        assert best.candidate.rule.field == "postgresql.log.session_id"
        assert best.figures.events == 5
        assert best.figures.closed_share == 1.0
        assert [o.why_not for o in others] == [
            "it never ends: its values go through the whole sample"
        ]

    def test_the_trace_of_opentelemetry(self) -> None:
        sample = sample_of(list(otel(400)), OTEL_TYPES)
        both = [Candidate(SessionRule(field=f), 1.0) for f in ("trace_id", "span_id")]
        best, others = best_rule(sample, SPEC, both)
        assert best is not None
        assert best.candidate.rule.field == "trace_id"
        assert "one line each" in others[0].why_not

    def test_a_process_id_is_no_session_even_where_it_ends(self) -> None:
        sample = sample_of(list(connections(200)), ECS_TYPES)
        rule = SessionRule(field="postgresql.log.session_id")
        promised = Candidate(rule, trust("process.pid"))
        best, others = best_rule(sample, SPEC, [promised])
        assert best is None
        assert others[0].why_not == "serves less well (0.25 of 1)"

    def test_without_a_key_windows_per_service_and_host(self) -> None:
        sample = sample_of(list(rsyslog(2000)), RSYSLOG_TYPES)
        found = sample.columns(RSYSLOG_TYPES)
        roles = choose("@timestamp", found)
        assert roles is not None
        best, _ = best_rule(sample, SPEC, field_candidates(found))
        assert best is None
        rule, figures = window_rule(sample, SPEC, roles, found)
        assert rule == SessionRule(
            fields=("log.syslog.appname", "host.name"), window_s=300.0
        )
        assert 10 < figures.events < 100

    @pytest.mark.parametrize(("every_s", "window_s"), [(0.01, 60), (400, 3600)])
    def test_windows_hold_enough_and_not_too_much(
        self, every_s: float, window_s: float
    ) -> None:
        documents = [
            {
                "@timestamp": (NOON + timedelta(seconds=every_s * n)).isoformat(),
                "message": "tick",
                "host": {"name": "a"},
            }
            for n in range(5000)
        ]
        types = {"host.name": "keyword"}
        sample = sample_of(documents, types)
        roles = Roles("@timestamp", "message", host="host.name")
        rule, _ = window_rule(sample, SPEC, roles, sample.columns(types))
        assert rule.window_s == window_s


def texts(count: int, make: Any) -> fitness.TemplateFigures:
    return fitness.templates_of([make(n) for n in range(count)])


class TestFitness:
    def test_too_few(self) -> None:
        assert "too few" in str(fitness.unfit_texts(texts(50, lambda n: f"a {n % 3}")))

    def test_always_the_same(self) -> None:
        figures = texts(400, lambda n: f"tick {n}")
        assert "always the same" in str(fitness.unfit_texts(figures))

    def test_free_text(self) -> None:
        def prose(n: int) -> str:
            word = "".join(chr(97 + int(d)) for d in str(n * 7919))
            return f"{word} {word[::-1]} writes of {word[2:]}{word} and so on"

        assert "free text" in str(fitness.unfit_texts(texts(400, prose)))

    def test_no_text(self) -> None:
        figures = texts(400, lambda n: "" if n % 3 else f"a {n}")
        assert "no text" in str(fitness.unfit_texts(figures))

    def test_a_good_source_and_what_speaks_for_it(self) -> None:
        sample = sample_of(list(connections(200)), ECS_TYPES)
        spec = SourceSpec(
            "s", "s", session=SessionRule(field="postgresql.log.session_id")
        )
        documents = sample.decoded(spec)
        events = [LogEvent(d.time, d.message, d.key) for d in documents]
        judged = fitness.judge(
            fitness.templates_of([d.message for d in documents]),
            fitness.sessions_of(events),
        )
        assert judged == fitness.Fitness(
            "good",
            (
                "5 events a session, 100% of the sessions end, 5 templates, "
                "0.0% unknown, 100% with the key",
            ),
        )

    def test_new_kinds_of_lines_are_a_doubt(self) -> None:
        names = "abcdefghijklmnop"

        def line(n: int) -> str:
            name = names[n % 4 + (4 if n > 200 else 0)]
            return f"step {name} of {name}{name} is done"

        figures = texts(400, line)
        sessions = fitness.SessionFigures(1, 50, 5, 0, 1.0, 0.1, 1, 5, 10)
        judged = fitness.judge(figures, sessions)
        assert judged.grade == "fair"
        assert "fit no template" in judged.reasons[0]

    def test_no_events(self) -> None:
        assert fitness.sessions_of([]).sessions == 0


def resolved(*indices: str, streams: tuple[str, ...] = (), **more: Any) -> Any:
    return {
        "indices": [{"name": i, "attributes": ["open"]} for i in indices],
        "data_streams": [{"name": s} for s in streams],
        **more,
    }


class TestDataSets:
    def test_namespaces_of_a_stream_are_one(self) -> None:
        found, passed = grouped(
            resolved(
                streams=(
                    "logs-postgresql.log-prod",
                    "logs-postgresql.log-test",
                    "metrics-system.cpu-prod",
                    "logs-elkwatch.anomaly-default",
                )
            )
        )
        assert [d.pattern for d in found] == ["logs-postgresql.log-*"]
        assert found[0].members == (
            "logs-postgresql.log-prod",
            "logs-postgresql.log-test",
        )
        assert {p.name: p.reason for p in passed} == {
            "metrics-system.cpu-prod": "holds metrics, not logs",
            "logs-elkwatch.anomaly-default": "is what elkwatch itself writes",
        }

    @pytest.mark.parametrize(
        ("indices", "patterns"),
        [
            (["app-2026.11.21", "app-2026.11.22"], ["app-*"]),
            (["filebeat-8.19.0-2026.11.22-000001"], ["filebeat-*"]),
            (["logstash-2026.11"], ["logstash-*"]),
            (["orders_20261122"], ["orders_*"]),
            (["app-1", "app-2"], ["app-*"]),
            (["app-1"], ["app-1"]),
            (["plain"], ["plain"]),
            (
                ["app-2026.11.22", "app-web-2026.11.22"],
                ["app-*,-app-web-*", "app-web-*"],
            ),
            ([".kibana_1", "elkwatch-state-default"], []),
        ],
    )
    def test_what_rotation_adds_is_taken_off(
        self, indices: list[str], patterns: list[str]
    ) -> None:
        found, _ = grouped(resolved(*indices))
        assert [d.pattern for d in found] == patterns

    def test_an_alias_of_what_is_there_is_not_read_twice(self) -> None:
        aliases = [
            {"name": "shop", "indices": ["app-1"]},
            {"name": "far", "indices": ["hidden-one"]},
        ]
        found, passed = grouped(resolved("app-1", aliases=aliases))
        assert [(d.pattern, d.kind) for d in found] == [
            ("app-1", "index"),
            ("far", "alias"),
        ]
        assert passed[0].reason == "an alias of app-1, which is looked at itself"

    def test_hidden_and_closed_ones(self) -> None:
        answer = {
            "indices": [
                {"name": "a", "attributes": ["open", "hidden"]},
                {"name": "b", "attributes": ["closed"]},
            ]
        }
        found, passed = grouped(answer)
        assert found == []
        assert [p.name for p in passed] == ["b"]


class TestShown:
    @pytest.mark.parametrize("text", EVIL)
    def test_a_scalar_reads_back_as_it_was(self, text: str) -> None:
        written = scalar(text)
        assert "\n" not in written
        document = f"a:\n  b: {written}  # comment\nc: [{written}]\n"
        assert yaml.safe_load(document) == {"a": {"b": text}, "c": [text]}

    @pytest.mark.parametrize("text", EVIL)
    def test_what_is_shown_is_one_printable_line(self, text: str) -> None:
        assert shown(text).isprintable()
        assert len(shown(text)) <= 160
        assert yaml.safe_load(f"# {shown(text)}\na: 1") == {"a": 1}
