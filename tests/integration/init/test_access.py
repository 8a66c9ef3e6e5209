"""`elkwatch init` where the cluster is out of reach, or lets few look."""

from __future__ import annotations

from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from elkwatch.config import load_config
from elkwatch.engine import Engine, SecurityOptions, User
from tests.elkwatch.proposals_samples import otel
from tests.integration.conftest import SecuredEngine
from tests.integration.init.calls import LATELY, Init, Told, put_many


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
