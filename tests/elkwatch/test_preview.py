"""Charts as a page holds them: no scripts, no network, every mark with its tip."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from elkwatch.cli.dashboards import dashboards
from elkwatch.errors import DrawingUnavailableError
from elkwatch.preview.drawing import to_svg
from kibana.preview.charts import COLOURED, base, name_axis

HOSTILE = '</svg><script>alert(1)</script> & "x" \x00\x1b[0m\u202e'


def chart(name: str = HOSTILE) -> str:
    place, values = name_axis(
        [name], [{"y": name, "v": 3, "c": "#54b399", "d": f"{name}: 3"}], 900
    )
    number = {"field": "v", "type": "quantitative"}
    encoding = {"y": place, "x": number, **COLOURED}
    mark = {"type": "bar", "clip": True}
    return to_svg(base(300, 100, values) | {"mark": mark, "encoding": encoding}, "one")


def test_texts_of_logs_are_texts_of_the_drawing() -> None:
    root = ElementTree.fromstring(chart())
    kinds = {element.tag for element in root.iter()}
    assert kinds <= {"svg", "g", "path", "line", "text", "title", "defs", "clipPath",
                     "rect"}  # fmt: skip
    tips = [element.text or "" for element in root.iter("title")]
    assert len(tips) == 1
    assert tips[0].startswith("</svg><script>alert(1)</script> &")
    assert "⟨U+0000⟩⟨U+001B⟩[0m⟨U+202E⟩" in tips[0]
    shown = [element.text or "" for element in root.iter("text")]
    assert any(text.startswith("</svg><script>") for text in shown)


@pytest.mark.parametrize(
    "name",
    ["", "😀" * 60, "日本語" * 40, "\uffff\ufffe", "\ud800", "a\nb" * 30, "<" * 99],
)
def test_any_name_can_be_drawn(name: str) -> None:
    ElementTree.fromstring(chart(name))


def test_nothing_of_a_drawing_acts_or_clashes_with_another() -> None:
    root = ElementTree.fromstring(chart("plain"))
    attributes = [pair for element in root.iter() for pair in element.items()]
    assert {"role", "fill", "transform"} <= {key for key, _ in attributes}
    assert not [k for k, _ in attributes if k.startswith(("on", "aria", "style"))]
    assert not [v for _, v in attributes if "http" in v or "javascript" in v]
    ids = [value for key, value in attributes if key == "id"]
    assert ids
    assert all(value.startswith("one-") for value in ids)
    clips = {value for key, value in attributes if key == "clip-path"}
    assert clips == {f"url(#{value})" for value in ids}


def test_without_vega_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(DrawingUnavailableError, match=r"elkwatch\[preview\]"):
        chart()


def test_a_file_is_no_folder_to_draw_into(tmp_path: Path) -> None:
    file = tmp_path / "page"
    file.touch()
    done = CliRunner().invoke(dashboards, ["preview", "--out", str(file)])
    assert done.exit_code == 2
    assert "is a file" in done.output
