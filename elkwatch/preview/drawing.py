"""Vega-Lite → SVG that a page can hold: no scripts, no links, tips as titles.

vl-convert holds Vega within itself and runs it here, so that the page needs neither
scripts nor a network when it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from elkwatch.errors import DrawingUnavailableError
from elkwatch.report import log_text
from kibana.preview import Spec

_SVG = "{http://www.w3.org/2000/svg}"
_ALLOWED = {"svg", "g", "path", "rect", "line", "text", "tspan", "title", "defs",
            "clipPath"}  # fmt: skip
_ATTRIBUTES = {
    "class", "clip-path", "cx", "cy", "d", "dx", "dy", "fill", "fill-opacity",
    "font-size", "font-weight", "height", "id", "opacity", "r", "stroke",
    "stroke-dasharray", "stroke-opacity", "stroke-width", "text-anchor", "transform",
    "viewBox", "width", "x", "x1", "x2", "y", "y1", "y2",
}  # fmt: skip
_LONG_NUMBER = re.compile(r"(\d+\.\d)\d+")
_LONGEST = 300
_NUMBERS = {"d", "transform"}


def to_svg(spec: Spec, name: str) -> str:
    """The chart as an `svg` element. `name`: what its own ids begin with, unique on
    the page. Raises DrawingUnavailableError.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise DrawingUnavailableError(
            "vl-convert is not installed, which draws the charts; "
            "install it with: pip install 'elkwatch[preview]'"
        ) from error
    drawn = vl_convert.vegalite_to_svg(_readable(spec), allowed_base_urls=[])
    root = ElementTree.fromstring(drawn)
    size = root.get("width", "0"), root.get("height", "0")
    _clean(root, name)
    root.attrib.update({"width": size[0], "height": size[1], "role": "img"})
    return ElementTree.tostring(root, encoding="unicode")


def _readable(part: Any) -> Any:
    """The same with texts of logs made fit to be read. vl-convert ends the whole
    process at what XML cannot hold.
    """
    if isinstance(part, str):
        return log_text(part, _LONGEST)
    if isinstance(part, Mapping):
        return {key: _readable(value) for key, value in part.items()}
    return [_readable(each) for each in part] if isinstance(part, list) else part


def _clean(element: ElementTree.Element, name: str) -> None:
    """Keeps what draws; gives each mark that is described its description as a tip."""
    tip = element.get("aria-label") if element.get("role") == "graphics-symbol" else ""
    kind = _local(element)
    element.tag = kind
    element.attrib = dict(_kept(element, name))
    for child in list(element):
        if _local(child) in _ALLOWED and not _is_empty(child):
            _clean(child, name)
        else:
            element.remove(child)
    if tip and kind in {"path", "rect", "line"}:
        title = ElementTree.SubElement(element, "title")
        title.text = tip


def _kept(element: ElementTree.Element, name: str) -> Iterator[tuple[str, str]]:
    for key, value in element.attrib.items():
        if key not in _ATTRIBUTES:
            continue
        if key == "id":
            value = f"{name}-{value}"
        elif key == "clip-path":
            value = value.replace("url(#", f"url(#{name}-")
        elif key in _NUMBERS:
            value = _LONG_NUMBER.sub(r"\1", value)
        yield key, value


def _is_empty(element: ElementTree.Element) -> bool:
    """What Vega leaves behind of groups without a ground of their own."""
    return element.get("display") == "none" or element.get("d") in {"", "M0,0h0v0h0Z"}


def _local(element: ElementTree.Element) -> str:
    return element.tag.removeprefix(_SVG)
