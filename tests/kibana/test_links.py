from datetime import UTC, datetime
from urllib.parse import unquote

import pytest

from kibana import discover_url, source_view_id

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
END = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)


def link(space: str = "default", **conditions: str) -> str:
    return discover_url(
        "https://kibana:5601/",
        space,
        index="logs-app-*",
        time_field="@timestamp",
        start=START,
        end=END,
        conditions=conditions or {"trace.id": "abc"},
    )


def test_it_opens_discover_on_these_lines() -> None:
    url = link()
    assert url.startswith("https://kibana:5601/app/discover#/?_g=(time:(from:'2026-")
    assert "to:'2026-11-22T12:05:00.000Z'" in unquote(url)
    assert "query:'trace.id: \"abc\"'" in unquote(url)
    assert source_view_id("logs-app-*", "@timestamp") in url


def test_another_space_stands_in_the_path() -> None:
    assert link(space="ops team").startswith("https://kibana:5601/s/ops%20team/app/")


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ('say "hi"', '"say \\"hi\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("it's", '"it!\'s"'),
        ("wow!", '"wow!!"'),
    ],
)
def test_hostile_values_stay_values(value: str, escaped: str) -> None:
    url = link(session=value)
    assert f"session: {escaped}" in unquote(url)
    assert " " not in url


def test_every_condition_holds() -> None:
    assert 'a: "1" and b: "2"' in unquote(link(a="1", b="2"))
