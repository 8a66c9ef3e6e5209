"""Links, read back as Kibana reads them: percent-decoded, then rison, then KQL."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest

from kibana import Pages, kql, source_view_id

START = datetime(2026, 11, 22, 12, 0, 0, 1700, tzinfo=UTC)
END = datetime(2026, 11, 22, 12, 5, 0, 1700, tzinfo=UTC)


def link(space: str = "default", query: str = 'trace.id: "abc"') -> str:
    pages = Pages("https://kibana:5601/base/", space)
    return pages.discover("view-1", query, START, END, columns=("message",))


def query_of(url: str) -> str:
    """The query that Kibana finds in a URL: one rison string, whatever is in it."""
    hashed = unquote(url.partition("#")[2])
    found = re.search(r"query:\(language:kuery,query:'((?:[^'!]|!.)*)'\)", hashed)
    assert found is not None
    return re.sub(r"!(.)", r"\1", found[1])


def test_it_opens_discover_on_these_lines() -> None:
    url = link()
    assert url.startswith("https://kibana:5601/base/app/discover#/?_g=(time:(from:'")
    assert "dataSource:(dataViewId:'view-1',type:dataView),index:'view-1'" in url
    assert query_of(url) == 'trace.id: "abc"'


def test_times_are_widened_to_whole_milliseconds() -> None:
    url = unquote(link())
    assert "from:'2026-11-22T12:00:00.001Z'" in url
    assert "to:'2026-11-22T12:05:00.002Z'" in url


def test_another_space_stands_in_the_path() -> None:
    assert "/base/s/ops%20team/app/discover" in link(space="ops team")


def test_a_dashboard_is_filtered() -> None:
    pages = Pages("https://kibana", "ops")
    url = pages.dashboard("a b", 'rule.id: "c07"', START, END)
    assert url.startswith("https://kibana/s/ops/app/dashboards#/view/a%20b?_g=(time:")
    assert query_of(url) == 'rule.id: "c07"'


@pytest.mark.parametrize(
    "value",
    [
        'say "hi"',
        "back\\slash",
        "it's",
        "wow!",
        "')),x:!(",
        'x" or *: "',
        "a&b=c#d%27",
        "\u5f02\u5e38 \U0001f525",
        "tab\tand\nline",
        "half \ud800",
    ],
)
def test_hostile_values_stay_values(value: str) -> None:
    url = link(query=kql({"session": value}))
    assert re.fullmatch(r"[!-~]+", url)
    assert url.count("#") == 1
    quoted = re.fullmatch(r'session: "((?:[^"\\]|\\.)*)"', query_of(url))
    assert quoted is not None
    escapes = {"n": "\n", "t": "\t", "r": "\r"}
    read = re.sub(r"\\(.)", lambda m: escapes.get(m[1], m[1]), quoted[1])
    assert read == value.replace("\ud800", "?")


def test_every_condition_holds() -> None:
    query = kql({"a": "1", "b": None, "odd:field": "2"})
    assert query == 'a: "1" and not b: * and odd\\:field: "2"'


def test_the_view_of_a_source_keeps_its_id() -> None:
    assert source_view_id("logs-app-*", "@timestamp") == "elkwatch-8e33ebdb3884"
