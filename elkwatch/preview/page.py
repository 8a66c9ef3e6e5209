"""The HTML page of the dashboards: one file, nothing loaded from elsewhere, no scripts.

Wide screens show the grid of Kibana, panel by panel in its place; narrow ones stack the
panels, each chart drawn once more for that width. Light and dark come from the style
sheet, which also colours the axes of the drawings.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources

import jinja2

from elkwatch.preview.collect import DrawnBoard, DrawnPanel
from elkwatch.preview.drawing import to_svg
from elkwatch.report import log_text, safe_link
from kibana.preview import Figure, Legend, LensView, Nothing, Period, Picture, Sheet

#: The grid on a wide screen, in pixels: the whole width, a row, what is between two.
_WIDTH, _ROW, _GAP, _COLUMNS = 1392, 15, 8, 48
#: What a panel takes of its own height and width: padding, title, a line of legend.
_SIDES, _PADDING, _TITLE, _LINE = 28, 26, 26, 22
_BESIDE = 150
_NARROW = (336, 210)
_LONGEST_NAME = 30
_WIDE = "screen and (min-width: 1100px)"


@dataclass(frozen=True, slots=True)
class PreviewData:
    """What the page is about. `findings`: how many the period has, `runs` likewise."""

    boards: tuple[DrawnBoard, ...]
    period: Period
    made: datetime
    findings: int
    runs: int
    engine: str = ""
    namespace: str = ""


def build_preview(data: PreviewData) -> str:
    """The whole page, HTML. The same data give the same page, byte for byte.

    Raises DrawingUnavailableError.
    """
    style = _style("elkwatch.report", "report.css") + _style(
        "elkwatch.preview", "preview.css"
    )
    style += _places(data.boards)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    template = _environment(data.period).get_template("preview.html.j2")
    return template.render(
        data=data,
        style=style,
        style_hash=f"sha256-{digest}",
        groups={board.board.id: list(_groups(board)) for board in data.boards},
        drawings=_drawings(data.boards),
        zone=_zone_name(data.period),
    )


def _style(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text("utf-8")


def _environment(period: Period) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("elkwatch.preview", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "log": log_text,
        "link": safe_link,
        "count": lambda number: f"{number:,}",
        "when": lambda time: f"{time.astimezone(period.zone):%Y-%m-%d %H:%M:%S}",
        "iso": lambda time: time.isoformat(timespec="seconds"),
        "kind": _kind,
    }
    return environment


def _zone_name(period: Period) -> str:
    return str(period.end.astimezone(period.zone).tzname())


def _kind(panel: DrawnPanel) -> str:
    """Which part of the template draws it."""
    match panel.shows:
        case Figure():
            return "figure"
        case Sheet():
            return "sheet"
        case Picture():
            return "picture"
        case Nothing():
            return "nothing"
    return panel.view.__class__.__name__.removesuffix("View").lower()


def _places(boards: Sequence[DrawnBoard]) -> str:
    """Where each panel stands on a wide screen, and the grounds of the figures."""
    rules = [f"main {{ --row: {_ROW}px; --gap: {_GAP}px; }}"]
    places = []
    for drawn in boards:
        above = min((p.view.grid.y for p in _shown(drawn)), default=0)
        for panel in _shown(drawn):
            grid, name = panel.view.grid, f"#{drawn.board.id}-{panel.view.key}"
            places.append(
                f"{name} {{ grid-area: {grid.y - above + 1} / {grid.x + 1} / "
                f"span {grid.h} / span {grid.w}; }}"
            )
            if isinstance(panel.shows, Figure) and panel.shows.colour:
                rules.append(f"{name} {{ --figure: {panel.shows.colour}; }}")
    return "\n".join([*rules, f"@media {_WIDE} {{", *places, "}\n"])


def _shown(drawn: DrawnBoard) -> Iterator[DrawnPanel]:
    """The panels that have a place: the links between dashboards stand above all."""
    return (p for p in drawn.panels if _kind(p) != "links")


def _groups(drawn: DrawnBoard) -> Iterator[tuple[str, list[DrawnPanel]]]:
    """Panels from top to bottom; figures that follow each other belong together."""
    group: list[DrawnPanel] = []
    for panel in _shown(drawn):
        if _kind(panel) == "figure":
            group.append(panel)
            continue
        if group:
            yield "figures", group
        group = []
        yield _kind(panel), [panel]
    if group:
        yield "figures", group


def _drawings(boards: Sequence[DrawnBoard]) -> dict[str, dict[str, str]]:
    """The SVG of each chart, for wide and for narrow screens, by the panel's id."""
    drawings = {}
    for drawn in boards:
        for panel in drawn.panels:
            if not isinstance(panel.shows, Picture):
                continue
            name = f"{drawn.board.id}-{panel.view.key}"
            wide = panel.shows.spec(*_size(panel, panel.shows))
            narrow = panel.shows.spec(*_NARROW)
            drawings[name] = {
                "wide": to_svg(wide, name),
                "narrow": to_svg(narrow, f"{name}-narrow"),
            }
    return drawings


def _size(panel: DrawnPanel, picture: Picture) -> tuple[int, int]:
    """Width and height of a chart within its panel, in pixels."""
    grid = panel.view.grid
    column = (_WIDTH + _GAP) / _COLUMNS
    width = int(grid.w * column) - _GAP - _SIDES
    height = grid.h * (_ROW + _GAP) - _GAP - _PADDING
    if isinstance(panel.view, LensView) and panel.view.title:
        height -= _TITLE
    if picture.legend_beside:
        return width - _BESIDE, height
    return width, max(90, height - _LINE * _lines(picture.legend, width))


def _lines(legend: Legend, width: int) -> int:
    """How many lines a legend takes below a chart."""
    wide = sum(min(len(key.name), _LONGEST_NAME) * 6.6 + 34 for key in legend)
    return math.ceil(wide / width)
