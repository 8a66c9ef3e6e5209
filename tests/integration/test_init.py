"""`elkwatch init` against real clusters: what it proposes, writes and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from elkwatch.cli.shell import run
from elkwatch.config import load_config
from elkwatch.engine import Engine, SecurityOptions, User
from tests.connector.indexed import put
from tests.elkwatch.proposals_samples import connections, otel, rsyslog
from tests.integration.conftest import SecuredEngine

KEYWORDS = {
    "dynamic_templates": [
        {
            "texts": {
                "match_mapping_type": "string",
                "mapping": {"type": "keyword", "ignore_above": 1024},
            }
        }
    ],
    "properties": {"@timestamp": {"type": "date"}},
}
HOUR = timedelta(hours=1)
LATELY = datetime.now(UTC) - HOUR


@dataclass(frozen=True, slots=True)
class Told:
    """What a call of `init` said, and the file it wrote."""

    code: int
    out: str
    err: str
    file: Path

    @property
    def json(self) -> dict[str, Any]:
        """Standard output as JSON."""
        answer: dict[str, Any] = json.loads(self.out)
        return answer

    def source(self, index: str) -> dict[str, Any]:
        """The source proposed for this pattern."""
        return next(s for s in self.json["sources"] if s["index"] == index)

    def reason(self, index: str) -> str:
        """Why this one is not proposed."""
        passed = self.json["not_proposed"]
        return next(str(p["reason"]) for p in passed if p["name"] == index)


Init = Callable[..., Told]


@pytest.fixture
def init(
    engine_url: str,
    prefix: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Init:
    """Calls the command, by default on what bears the test's own prefix."""
    monkeypatch.chdir(tmp_path)

    def call(*more: str, url: str = engine_url, pattern: str = f"{prefix}*") -> Told:
        capsys.readouterr()
        code = run(["init", "--hosts", url, "--index", pattern, *more])
        said = capsys.readouterr()
        return Told(code, said.out, said.err, tmp_path / "elkwatch.yml")

    return call


def put_many(
    es: Elasticsearch,
    index: str,
    documents: Iterable[Mapping[str, Any]],
    mappings: Mapping[str, Any] | None = KEYWORDS,
) -> None:
    rest = iter(documents)
    while batch := list(islice(rest, 2000)):
        put(es, index, batch, mappings)


class TestShapes:
    def test_ecs_with_a_key_that_ends(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        for day in ("2026.11.21", "2026.11.22"):
            put_many(es, f"{prefix}db-{day}", connections(150, start=LATELY))
        told = init("--json")
        assert told.code == 0, told.err
        source = told.source(f"{prefix}db-*")
        assert source["fit"] == "good"
        assert source["session"] == {"field": "postgresql.log.session_id"}
        assert source["members"] == [
            f"{prefix}db-2026.11.21",
            f"{prefix}db-2026.11.22",
        ]
        (written,) = load_config(told.file, {}).sources
        assert written.session is not None
        assert written.session.field == "postgresql.log.session_id"

    def test_dotted_keys_of_rsyslog(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        put_many(es, f"{prefix}syslog", rsyslog(2000, start=LATELY))
        source = init("--json").source(f"{prefix}syslog")
        assert source["session"] == {
            "fields": ["log.syslog.appname", "host.name"],
            "window": "5m",
        }
        assert source["severity_field"] == "log.level"

    def test_opentelemetry(self, es: Elasticsearch, init: Init, prefix: str) -> None:
        put_many(es, f"{prefix}otel", otel(2000, start=LATELY))
        source = init("--json").source(f"{prefix}otel")
        assert source["message_field"] == "body.text"
        assert source["service_field"] == "resource.attributes.service.name"
        assert source["session"] == {"field": "trace_id"}

    def test_a_key_in_the_message(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        steps = ("received {}", "stored {} on disk", "served {} twice", "dropped {}")
        documents = (
            {
                "@timestamp": (LATELY + timedelta(seconds=n)).isoformat(),
                "message": steps[n % 4].format(
                    f"blk_{'-' if n % 8 < 4 else ''}{n // 4:09}"
                ),
            }
            for n in range(2000)
        )
        put_many(es, f"{prefix}blocks", documents)
        source = init("--json").source(f"{prefix}blocks")
        assert source["session"] == {"pattern": r"blk_-?\d+"}

    @pytest.mark.parametrize("shape", ["flattened", "runtime", "alias", "synthetic"])
    def test_keys_that_only_the_mapping_knows(
        self, es: Elasticsearch, init: Init, prefix: str, shape: str
    ) -> None:
        index, settings, mappings, field = _shaped(prefix, shape)
        es.indices.create(index=index, mappings=mappings, settings=settings)
        put_many(es, index, (_traced(n, shape) for n in range(1200)))
        told = init("--json")
        assert told.code == 0, told.err + told.out
        source = told.source(index)
        assert source["session"] == {"field": field}
        assert source["sessions"]["key_share"] == 1.0

    def test_through_an_alias(
        self, es: Elasticsearch, init: Init, prefix: str, namespace: str
    ) -> None:
        put_many(es, f"{prefix}a", otel(1000, start=LATELY))
        es.indices.put_alias(index=f"{prefix}a", name=f"alias-{namespace}")
        told = init("--json", pattern=f"alias-{namespace}")
        source = told.source(f"alias-{namespace}")
        assert source["session"] == {"field": "trace_id"}

    def test_nested_values_are_no_key(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        index = f"{prefix}nested"
        es.indices.create(
            index=index,
            mappings={
                **KEYWORDS,
                "properties": {
                    "@timestamp": {"type": "date"},
                    "calls": {
                        "type": "nested",
                        "properties": {"request_id": {"type": "keyword"}},
                    },
                },
            },
        )
        documents = (
            {**d, "calls": [{"request_id": d["trace_id"]}], "trace_id": "always"}
            for d in otel(800, start=LATELY)
        )
        put_many(es, index, documents)
        source = init("--json").source(index)
        assert "window" in source["session"]


def _traced(n: int, shape: str) -> dict[str, Any]:
    """Four lines a trace, whose id is where the shape says."""
    document: dict[str, Any] = {
        "@timestamp": (LATELY + timedelta(seconds=n)).isoformat(),
        "message": f"{('got', 'read', 'priced', 'sent')[n % 4]} order {n}",
    }
    key = f"t{n // 4}"
    if shape == "flattened":
        return document | {"labels": {"trace": {"id": key}, "team": "shop"}}
    if shape == "alias":
        return document | {"deep": key}
    return document | {"trace": {"id": key}}


def _shaped(prefix: str, shape: str) -> tuple[str, dict[str, Any], dict[str, Any], str]:
    """Index, settings, mappings and the field to be proposed."""
    settings: dict[str, Any] = {}
    properties: dict[str, Any] = {
        "@timestamp": {"type": "date"},
        "message": {"type": "text"},
    }
    mappings: dict[str, Any] = {"properties": properties}
    field = "trace.id"
    if shape == "flattened":
        properties["labels"] = {"type": "flattened"}
        field = "labels.trace.id"
    elif shape == "alias":
        properties["deep"] = {"type": "keyword"}
        properties["trace"] = {"properties": {"id": {"type": "alias", "path": "deep"}}}
    elif shape == "runtime":
        mappings |= {"dynamic": False, "runtime": {"trace.id": {"type": "keyword"}}}
    else:
        settings = {"index.mode": "logsdb"}
        properties["trace"] = {"properties": {"id": {"type": "keyword"}}}
        properties["message"] = {"type": "keyword"}
    return f"{prefix}{shape}", settings, mappings, field


class TestReasons:
    """Why what is there is no source."""

    def test_metrics(self, es: Elasticsearch, init: Init, prefix: str) -> None:
        put_many(
            es,
            f"{prefix}cpu",
            (
                {"@timestamp": LATELY.isoformat(), "cpu": {"a": n, "b": n, "c": n / 7}}
                for n in range(300)
            ),
        )
        told = init("--json")
        assert told.code == 1
        assert told.reason(f"{prefix}cpu").startswith("metrics only: 3 number fields")
        assert not told.file.exists()
        assert told.err.count("\n") == 1
        assert "nothing at" in told.err

    def test_no_logs_at_all(self, init: Init) -> None:
        told = init()
        assert told.code == 1
        assert told.err.startswith("elkwatch: nothing at ")

    def test_an_empty_index_and_one_with_few_lines(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        put_many(es, f"{prefix}few", connections(20, start=LATELY))
        es.indices.create(index=f"{prefix}none", mappings=KEYWORDS)
        told = init("--json")
        assert told.reason(f"{prefix}few").startswith("too few documents")
        assert told.reason(f"{prefix}none") == "holds no document yet"

    def test_no_time(self, es: Elasticsearch, init: Init, prefix: str) -> None:
        mappings = {"properties": {"@timestamp": {"type": "keyword"}}}
        put_many(es, f"{prefix}untimed", rsyslog(300), mappings)
        reason = init("--json").reason(f"{prefix}untimed")
        assert reason.startswith("no date field")
        assert "@timestamp is mapped as keyword" in reason

    def test_all_in_the_future(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        tomorrow = datetime.now(UTC) + timedelta(days=400)
        put_many(es, f"{prefix}future", rsyslog(300, start=tomorrow))
        reason = init("--json").reason(f"{prefix}future")
        assert reason.startswith("every document is dated in the future by @timestamp")

    def test_some_in_the_future_are_left_out(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        index = f"{prefix}clock"
        put_many(es, index, connections(150, start=LATELY))
        put_many(es, index, rsyslog(50, start=datetime.now(UTC) + HOUR))
        source = init("--json").source(index)
        assert source["session"] == {"field": "postgresql.log.session_id"}
        assert source["sessions"]["key_share"] == 1.0
        assert source["notes"][0].startswith("50 documents are dated in the future")

    def test_the_key_is_only_in_some(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        index = f"{prefix}some"
        documents = list(otel(2000, start=LATELY))
        for n, document in enumerate(documents):
            if n // 4 % 3 == 0:  # every third trace
                del document["trace_id"]
        put_many(es, index, documents)
        source = init("--json").source(index)
        assert source["fit"] == "fair"
        assert any("have no key" in reason for reason in source["reasons"])

    def test_own_output_is_never_proposed(self, init: Init) -> None:
        told = init("--json", pattern="logs-elkwatch.*,metrics-elkwatch.*,elkwatch-*")
        assert told.code == 1
        assert told.json["sources"] == []


def test_five_thousand_fields(es: Elasticsearch, init: Init, prefix: str) -> None:
    index = f"{prefix}wide"
    es.indices.create(
        index=index,
        settings={"index.mapping.total_fields.limit": 6000},
        mappings={
            "properties": {
                "@timestamp": {"type": "date"},
                "message": {"type": "text"},
                "zz": {"properties": {"session": {"type": "keyword"}}},
                **{f"f{n:04}": {"type": "keyword"} for n in range(5000)},
            }
        },
    )
    put_many(
        es,
        index,
        (
            {
                "@timestamp": d["@timestamp"],
                "message": d["message"],
                "zz": {"session": d["postgresql"]["log"]["session_id"]},
                **{f"f{(n * 7 + k) % 5000:04}": "x" for k in range(20)},
            }
            for n, d in enumerate(connections(150, start=LATELY))
        ),
    )
    source = init("--json").source(index)
    assert source["session"] == {"field": "zz.session"}


HOSTILE = "session id: x\n- evil #\x1b[31m'\"{}[]&!|>%@`"


def test_hostile_names_and_texts_stay_data(
    es: Elasticsearch, init: Init, prefix: str
) -> None:
    """A field name cannot add a key to the file, nor move the cursor of a terminal."""
    readable = "session: {evil: yes} # \"'\\"
    index = f"{prefix}&a'%{{x}}"
    documents = (
        {
            "@timestamp": d["@timestamp"],
            "message": f"{d['message']}\x1b[2J\x07\nsources: []",
            readable: d["postgresql"]["log"]["session_id"],
            HOSTILE: d["postgresql"]["log"]["session_id"],
            "host": {"name": "\x1b]0;owned\x07"},
        }
        for d in connections(150, start=LATELY)
    )
    put_many(es, index, documents)
    told = init()
    assert told.code == 0, told.err
    assert all(c.isprintable() or c == "\n" for c in told.out)
    (written,) = load_config(told.file, {}).sources
    assert written.index == index
    assert written.session is not None
    assert written.session.field == readable
    assert all(c.isprintable() or c == "\n" for c in told.file.read_text("utf-8"))


class TestTheFile:
    def test_folders_on_the_way_are_made(
        self, es: Elasticsearch, init: Init, prefix: str, tmp_path: Path
    ) -> None:
        put_many(es, f"{prefix}otel", otel(800, start=LATELY))
        out = tmp_path / "with space" / "deep" / "own.yml"
        told = init("--out", str(out))
        assert told.code == 0, told.err
        assert f"elkwatch config check --config '{out}'" in told.out
        assert load_config(out, {}).sources[0].index == f"{prefix}otel"
        assert run(["config", "check", "--config", str(out)]) == 0

    def test_one_that_is_there_is_kept(
        self, es: Elasticsearch, init: Init, prefix: str, tmp_path: Path
    ) -> None:
        own = tmp_path / "elkwatch.yml"
        own.write_text("mine", "utf-8")
        told = init()
        assert told.code == 2
        assert told.err.startswith("elkwatch: elkwatch.yml is already there")
        assert own.read_text("utf-8") == "mine"
        put_many(es, f"{prefix}otel", otel(800, start=LATELY))
        assert init("--force").code == 0
        assert load_config(own, {}).sources

    def test_on_standard_output(
        self, es: Elasticsearch, init: Init, prefix: str, tmp_path: Path
    ) -> None:
        put_many(es, f"{prefix}otel", otel(800, start=LATELY))
        told = init("--out", "-")
        assert told.code == 0
        copy = tmp_path / "copy.yml"
        copy.write_text(told.out, "utf-8")
        assert load_config(copy, {}).sources[0].index == f"{prefix}otel"
        assert "otel: good" in told.err

    def test_a_dry_run_writes_none(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        put_many(es, f"{prefix}otel", otel(800, start=LATELY))
        told = init("--dry-run")
        assert told.code == 0
        assert "otel: good" in told.out
        assert not told.file.exists()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:9", "connection refused"),
        ("127.0.0.1:9200", "expected"),
        ("https://no-such-host.invalid:9200", "host name is not known"),
    ],
)
def test_nobody_is_there(init: Init, url: str, told: str) -> None:
    answer = init(url=url)
    assert answer.code in {1, 2}
    assert told in answer.err
    assert answer.err.count("\n") == 1


PASSWORD = "pass-of-the-reader-42"


@pytest.fixture(scope="module")
def engine(secured_engine: SecuredEngine) -> Engine:
    both = ["read", "view_index_metadata"]
    secret = {"names": ["secret-*"], "privileges": ["view_index_metadata"]}
    roles = {
        "looker": {
            "cluster": ["monitor"],
            "indices": [{"names": ["app-*"], "privileges": both}, secret],
        },
        "reader": {
            "cluster": ["monitor"],
            "indices": [{"names": ["app-*"], "privileges": ["read"]}],
        },
    }
    users = (
        User("boss", PASSWORD, ("superuser",)),
        User("looker", PASSWORD, ("looker",)),
        User("reader", PASSWORD, ("reader",)),
        User("nobody", PASSWORD, ()),
    )
    made = secured_engine(SecurityOptions(users, roles))
    with Elasticsearch(made.url, basic_auth=("boss", PASSWORD)) as boss:
        put_many(boss, "app-1", otel(800, start=LATELY))
        put_many(boss, "secret-1", otel(800, start=LATELY))
    return made


class TestSecured:
    """With users and roles."""

    @pytest.fixture
    def password(self, tmp_path: Path) -> Path:
        file = tmp_path / "password"
        file.write_text(PASSWORD + "\n", "utf-8")
        return file

    def ask(
        self, init: Init, engine: Engine, user: str, password: Path, *more: str
    ) -> Told:
        who = ("--username", user, "--password-file", str(password))
        return init(*who, *more, url=engine.url, pattern="*")

    def test_what_may_not_be_read_is_told(
        self, init: Init, engine: Engine, password: Path
    ) -> None:
        told = self.ask(init, engine, "looker", password, "--json")
        assert [s["index"] for s in told.json["sources"]] == ["app-1"]
        assert "may not read it: grant" in told.reason("secret-1")

    def test_reading_is_enough(
        self, init: Init, engine: Engine, password: Path
    ) -> None:
        told = self.ask(init, engine, "reader", password, "--json")
        assert [s["index"] for s in told.json["sources"]] == ["app-1"]

    def test_the_file_says_where_the_password_is_not_what(
        self, init: Init, engine: Engine, password: Path
    ) -> None:
        told = self.ask(init, engine, "looker", password)
        assert told.code == 0, told.err
        text = told.file.read_text("utf-8")
        assert PASSWORD not in text + told.out + told.err
        settings = load_config(told.file, {}).elasticsearch
        assert settings.password is not None
        assert settings.password.get_secret_value() == PASSWORD

    def test_from_the_environment(
        self,
        init: Init,
        engine: Engine,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        around = {
            "ELKWATCH__ELASTICSEARCH__USERNAME": "looker",
            "ELKWATCH__ELASTICSEARCH__PASSWORD": PASSWORD,
        }
        for name, value in around.items():
            monkeypatch.setenv(name, value)
        told = init(url=engine.url, pattern="*")
        assert told.code == 0, told.err
        text = told.file.read_text("utf-8")
        assert "password: {env: ELKWATCH__ELASTICSEARCH__PASSWORD}" in text
        assert PASSWORD not in text
        assert load_config(told.file, around).elasticsearch.username == "looker"

    @pytest.mark.parametrize("key", ["bm8tc3VjaDprZXk=", "no-such:key"])
    def test_a_wrong_key(
        self, init: Init, engine: Engine, tmp_path: Path, key: str
    ) -> None:
        file = tmp_path / "key"
        file.write_text(key, "utf-8")
        told = init("--api-key-file", str(file), url=engine.url)
        assert told.code == 1
        assert "was refused (401)" in told.err
        assert key not in told.err
        assert told.err.count("\n") == 1

    def test_a_user_without_any_role(
        self, init: Init, engine: Engine, password: Path
    ) -> None:
        told = self.ask(init, engine, "nobody", password)
        assert told.code == 1
        assert "cluster:monitor" in told.err
        assert told.err.count("\n") == 1

    def test_a_key_file_that_is_not_there(self, init: Init, engine: Engine) -> None:
        told = init("--api-key-file", "nowhere.key", url=engine.url)
        assert told.code == 2
        assert "no secret file" in told.err


def test_sessions_that_outlive_the_newest_lines_are_followed(
    es: Elasticsearch, init: Init, prefix: str
) -> None:
    """Forty connections at any time, ten minutes each: 400 lines are a minute."""
    index, steps = f"{prefix}busy", ("opened", "asked for", "was given", "thanked for")
    start = datetime.now(UTC) - 3 * HOUR
    put_many(
        es,
        index,
        (
            {
                "@timestamp": (start + timedelta(seconds=n)).isoformat(),
                "message": f"client {steps[n // 40 % 4]} part {n}",
                "session": {"id": f"{n % 40}-{n // 600}"},
                "host": {"name": "one"},
                "container": {"id": f"c{n % 40}"},
            }
            for n in range(3 * 3600)
        ),
    )
    source = init("--json", "--sample", "400").source(index)
    assert source["session"] == {"field": "session.id"}
    assert source["sessions"]["events"] == 15
    others = {other["key"]: other["why_not"] for other in source["other_keys"]}
    assert others["container.id"].startswith("it never ends")
