"""The client against a stub Kibana, over real HTTP."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from kibana import (
    Key,
    KibanaClient,
    KibanaConfig,
    KibanaError,
    build_objects,
    ndjson,
)
from tests.integration.tls import make_authority
from tests.kibana.stub import EXPORT, IMPORT, KEY, STATUS, StubKibana, Trouble

ALL = build_objects()
OVERVIEW = Key("dashboard", "elkwatch-overview")


@pytest.fixture
def kibana() -> Iterator[StubKibana]:
    with StubKibana() as stub:
        yield stub


def client_of(kibana: StubKibana, **more: str) -> KibanaClient:
    return KibanaClient(KibanaConfig(kibana.url, **{"api_key": KEY, **more}))  # type: ignore[arg-type]


def said_by(client: KibanaClient) -> str:
    with pytest.raises(KibanaError) as raised:
        client.check()
    line = str(raised.value)
    assert "\n" not in line
    assert KEY not in line
    return f"{type(raised.value).__name__}: {line}"


def test_check_tells_version_and_space_and_changes_nothing(kibana: StubKibana) -> None:
    info = client_of(kibana, space="ops").check()
    assert (info.version, info.level, info.space) == ("9.2.3", "available", "ops")
    assert kibana.paths("POST") == kibana.paths("DELETE") == []


def test_a_key_as_id_and_secret_is_encoded(kibana: StubKibana) -> None:
    client_of(kibana, api_key="stub:secret-key").check()


def test_user_and_password(kibana: StubKibana) -> None:
    config = KibanaConfig(kibana.url, username="jos\u00e9", password="p:w")
    said_by(KibanaClient(config))
    sent = kibana.asked[-1].headers["authorization"]
    assert sent == "Basic am9zw6k6cDp3"


def test_nobody_answers() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        line = said_by(KibanaClient(KibanaConfig(f"http://127.0.0.1:{port}")))
    assert "KibanaUnreachable" in line
    assert "connection refused; check kibana.url" in line


@pytest.mark.parametrize(
    ("path", "trouble", "error", "cure"),
    [
        (STATUS, Trouble(429), "KibanaTooBusy", "try again"),
        (STATUS, Trouble(503, "Kibana server is not ready yet"), "KibanaTooBusy", ""),
        (STATUS, Trouble(502, "<html>bad gateway"), "KibanaTooBusy", "try again"),
        (
            STATUS,
            Trouble(302, "", {"location": "https://login.example/?token=abc"}),
            "KibanaRefused",
            "redirects are not followed",
        ),
        (STATUS, Trouble(200, "<html>log in"), "KibanaRefused", "log-in page"),
        (STATUS, Trouble(200, '{"cluster_name": "es"}'), "KibanaRefused", "no Kibana"),
        (STATUS, Trouble(404), "KibanaRefused", "base path"),
    ],
)
def test_what_is_no_ready_kibana(
    kibana: StubKibana, path: str, trouble: Trouble, error: str, cure: str
) -> None:
    kibana.trouble[path] = trouble
    line = said_by(client_of(kibana))
    assert line.startswith(error)
    assert cure in line
    assert "token" not in line


def test_a_wrong_key(kibana: StubKibana) -> None:
    line = said_by(client_of(kibana, api_key="d3Jvbmc6a2V5"))
    assert line.startswith("KibanaNotAuthenticated")
    assert "check kibana.api_key" in line


def test_no_key_where_one_is_needed(kibana: StubKibana) -> None:
    line = said_by(KibanaClient(KibanaConfig(kibana.url)))
    assert "asks for credentials (401); set kibana.api_key" in line


def test_a_missing_space_is_found_before_anything_is_written(
    kibana: StubKibana,
) -> None:
    line = said_by(client_of(kibana, space="nope"))
    assert line.startswith("SpaceMissing")
    assert "create it, or set kibana.space" in line


def test_a_forbidden_space(kibana: StubKibana) -> None:
    kibana.forbidden_spaces.add("ops")
    assert "(403)" in said_by(client_of(kibana, space="ops"))


@pytest.mark.parametrize("version", ["7.17.0", "8.11.4"])
def test_an_old_kibana(version: str) -> None:
    with StubKibana(version=version) as kibana:
        assert "need 8.12 or newer" in said_by(client_of(kibana))


def test_a_kibana_that_is_unwell(kibana: StubKibana) -> None:
    kibana.level = "critical"
    assert "says it is critical" in said_by(client_of(kibana))


def test_a_slow_kibana_is_given_up(kibana: StubKibana) -> None:
    kibana.slow_s = 2.0
    config = KibanaConfig(kibana.url, api_key=KEY, request_timeout_s=0.2)
    assert "no answer in time" in said_by(KibanaClient(config))


def test_a_base_path(kibana: StubKibana) -> None:
    with StubKibana(base="/kibana") as behind:
        assert client_of(behind, space="ops").check().space == "ops"


def test_export_leaves_out_what_is_not_there(kibana: StubKibana) -> None:
    client = client_of(kibana)
    assert client.export([OVERVIEW]) == {}
    client.import_file(ndjson(ALL), overwrite=False)
    found = client.export([OVERVIEW, Key("dashboard", "gone")])
    assert list(found) == [OVERVIEW]


def test_users_of_a_data_view(kibana: StubKibana) -> None:
    client = client_of(kibana)
    client.import_file(ndjson(ALL), overwrite=False)
    assert OVERVIEW in client.users([Key("index-pattern", "elkwatch-findings")])
    assert client.users([Key("index-pattern", "other")]) == {}


@pytest.mark.parametrize(
    ("trouble", "cure"),
    [
        (Trouble(413, '{"message": "too large"}'), "maxImportPayloadBytes"),
        (Trouble(422, '{"message": "belongs to a more recent version"}'), "newer"),
        (Trouble(400, '{"message": "Unexpected token"}'), "Unexpected token"),
        (Trouble(403, '{"message": "Unable to bulk_create"}'), "privileges"),
        (Trouble(200, "[]"), "no JSON of Kibana"),
    ],
)
def test_an_import_that_is_refused(
    kibana: StubKibana, trouble: Trouble, cure: str
) -> None:
    kibana.trouble[IMPORT] = trouble
    with pytest.raises(KibanaError) as raised:
        client_of(kibana).import_file(ndjson(ALL), overwrite=False)
    assert cure in str(raised.value)


def test_an_export_that_is_no_ndjson(kibana: StubKibana) -> None:
    kibana.trouble[EXPORT] = Trouble(200, "<html>")
    with pytest.raises(KibanaError, match="no saved object"):
        client_of(kibana).export([OVERVIEW])


def test_conflicts_create_nothing_whatever_the_results_say(
    kibana: StubKibana,
) -> None:
    view = {"type": "index-pattern", "id": "elkwatch-findings", "attributes": {}}
    kibana.store.put("default", view)
    answer = client_of(kibana).import_file(ndjson(ALL), overwrite=False)
    assert not answer.success
    assert answer.created == {}
    (problem,) = answer.problems
    assert str(problem) == "index-pattern elkwatch-findings: exists already"
    assert list(kibana.store.objects) == [("index-pattern", "elkwatch-findings")]


def test_missing_references_are_named(kibana: StubKibana) -> None:
    without_views = ndjson(o for o in ALL if o.type != "index-pattern")
    answer = client_of(kibana).import_file(without_views, overwrite=False)
    assert answer.created == {}
    assert all("which is neither in Kibana" in str(p) for p in answer.problems)


def test_a_second_space_gets_other_ids(kibana: StubKibana) -> None:
    client_of(kibana).import_file(ndjson(ALL), overwrite=False)
    answer = client_of(kibana, space="ops").import_file(ndjson(ALL), overwrite=False)
    assert answer.success
    assert answer.created[OVERVIEW] != OVERVIEW.id


def test_users_are_asked_for_by_the_types_that_this_kibana_has(
    kibana: StubKibana,
) -> None:
    client = client_of(kibana)
    client.import_file(ndjson(ALL), overwrite=False)
    kibana.store.types = {"dashboard", "index-pattern", "search"}
    assert OVERVIEW in client.users([Key("index-pattern", "elkwatch-findings")])


def test_delete_tells_what_was_gone_and_what_is_shared(kibana: StubKibana) -> None:
    client = client_of(kibana)
    client.import_file(ndjson(ALL), overwrite=False)
    view = Key("index-pattern", "elkwatch-findings")
    kibana.store.objects["index-pattern", view.id]["namespaces"].append("ops")
    assert client.delete(view) == "shared"
    assert client.delete(OVERVIEW) == "removed"
    assert client.delete(OVERVIEW) == "was gone"


def test_tls_by_authority_or_fingerprint_and_not_otherwise(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    with StubKibana(tls=authority.files) as kibana:
        client_of(kibana, ca_certs=str(authority.files.authority)).check()
        client_of(kibana, ssl_assert_fingerprint=authority.fingerprint).check()
        assert "certificate not trusted" in said_by(client_of(kibana))
        other = "00" * 32
        line = said_by(client_of(kibana, ssl_assert_fingerprint=other))
        assert "another fingerprint" in line


def test_a_ca_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(KibanaError, match="no file"):
        KibanaClient(KibanaConfig("https://k", ca_certs=str(tmp_path / "no.pem")))
    (tmp_path / "no.pem").write_text("nothing")
    with pytest.raises(KibanaError, match="no certificate"):
        KibanaClient(KibanaConfig("https://k", ca_certs=str(tmp_path / "no.pem")))
