"""The HTML page of a report: one file, nothing loaded from elsewhere, no scripts.

All text of logs is escaped by Jinja, and what could disturb the reading (control
characters, marks that turn the direction of text) is written out. A content security
policy allows the page's own style sheet, by its hash, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from datetime import datetime, tzinfo
from importlib import resources
from urllib.parse import urlsplit

import jinja2

from elkwatch.report.data import ClassEntry, ReportData, SourceHealth
from elkwatch.report.grid import draw_grid
from elkwatch.report.timeline import Drawing, bucket_text, draw

MAX_TEXT = 800
OTHERS = "other classes"

_UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069"
    r"\ufeff\ufffe\uffff\ud800-\udfff]"
)
_MOST_UNLIKELY = 1e6
_WIDE = (1040.0, 280.0, 10)
_NARROW = (380.0, 240.0, 4)


def build_report(data: ReportData) -> str:
    """The whole page, HTML. The same data give the same page, byte for byte."""
    style = style_of("elkwatch.report", "report.css")
    template = page_environment(data.zone).get_template("report.html.j2")
    return template.render(
        data=data,
        style=style,
        style_hash=style_hash(style),
        charts=_charts(data),
        bucket=bucket_text(data.timeline.bucket_s) if data.timeline else "",
        legend=_legend(data),
        colours={entry.class_id: entry.colour for entry in data.classes},
        class_names={entry.class_id: entry.name for entry in data.classes},
        others=OTHERS,
        tiles=_tiles(data),
        grid=draw_grid(data.grid, data.zone) if data.grid else None,
        zone=zone_name(data.period_end, data.zone),
    )


def style_of(package: str, name: str) -> str:
    """A style sheet of a package."""
    return resources.files(package).joinpath(name).read_text("utf-8")


def style_hash(style: str) -> str:
    """What a content security policy calls a style sheet."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"sha256-{digest}"


def page_environment(
    zone: tzinfo, package: str = "elkwatch.report"
) -> jinja2.Environment:
    """Templates of a package, with what makes log text safe and figures readable."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package, ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "log": log_text,
        "link": safe_link,
        "count": _count,
        "share": _share,
        "odds": _odds,
        "seconds": _seconds,
        "bytes": _bytes,
        "when": lambda time: _when(time, zone),
        "clock": lambda time: f"{time.astimezone(zone):%H:%M:%S}",
        "iso": lambda time: time.isoformat(timespec="seconds"),
    }
    return environment


def log_text(text: str, limit: int = MAX_TEXT) -> str:
    """Text out of a log, fit to be read: bounded, and nothing in it acts."""
    cut = text[:limit]
    more = f" … ({len(text) - limit:,} more characters)" if len(text) > limit else ""
    return _UNSAFE.sub(lambda m: f"⟨U+{ord(m.group()):04X}⟩", cut) + more


def safe_link(url: str | None) -> str | None:
    """The address, if it is one of the web; None for `javascript:` and the like."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc else None


def _charts(data: ReportData) -> dict[str, Drawing]:
    """The timeline for wide and for narrow screens; the style sheet shows one."""
    if data.timeline is None:
        return {}
    names = [_name_of(data, class_id) for class_id in data.timeline.class_ids]
    names.append(OTHERS)
    charts = {}
    for name, (width, height, columns) in (("wide", _WIDE), ("narrow", _NARROW)):
        charts[name] = draw(
            data.timeline, names, data.zone, width=width, height=height, columns=columns
        )
    return charts


def _legend(data: ReportData) -> list[tuple[int, str, int]]:
    """Colour, name and count of each row of the timeline."""
    if data.timeline is None:
        return []
    names = [_name_of(data, class_id) for class_id in data.timeline.class_ids] + [
        OTHERS
    ]
    return [
        (row, names[row], sum(counts))
        for row, counts in enumerate(data.timeline.counts)
        if any(counts)
    ]


def _name_of(data: ReportData, class_id: str) -> str:
    return next((e.name for e in data.classes if e.class_id == class_id), class_id)


def _tiles(data: ReportData) -> list[tuple[str, str, str]]:
    """The figures on top: value, what it is, and a word more."""
    worst = _worst(data.classes)
    tiles = []
    if data.documents is not None:
        tiles.append((_count(data.documents), "log lines read", ""))
    if data.sessions is not None:
        tiles.append((_count(data.sessions), "sessions judged", ""))
    rate = (
        f"{_share(data.findings / data.sessions)} of sessions" if data.sessions else ""
    )
    tiles.append((_count(data.findings), "findings", rate))
    tiles.append((_count(len(data.classes)), "classes", worst))
    tiles += [(_count(count), name, "") for name, count in data.notifications]
    lag = _lag(data.health)
    if lag is not None:
        tiles.append((_seconds(lag), "behind", "at the last run"))
    return tiles


def _worst(classes: tuple[ClassEntry, ...]) -> str:
    grave = sum(entry.severity in {"critical", "high"} for entry in classes)
    return f"{grave} high or critical" if grave else ""


def _lag(health: tuple[SourceHealth, ...]) -> float | None:
    return max((h.lag_s for h in health if h.lag_s is not None), default=None)


def _when(time: datetime, zone: tzinfo) -> str:
    return f"{time.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def zone_name(time: datetime, zone: tzinfo) -> str:
    """`UTC`, or a zone with its offset at this time: `Asia/Shanghai (UTC+08:00)`."""
    offset = time.astimezone(zone).strftime("%z")
    name = str(zone)
    if name == "UTC":
        return name
    return f"{name} (UTC{offset[:3]}:{offset[3:5]})"


def _count(number: float) -> str:
    return f"{number:,.0f}"


def _share(share: float) -> str:
    percent = 100 * share
    if 0 < percent < 0.1:
        return "< 0.1 %"
    return f"{percent:.0f} %" if percent >= 10 or percent == 0 else f"{percent:.1f} %"


def _odds(surprise_nats: float) -> str:
    """A surprise in words: how many such places until this line is seen once."""
    if not math.isfinite(surprise_nats) or surprise_nats > math.log(_MOST_UNLIKELY):
        return "< 1 in 1,000,000"
    return f"1 in {math.exp(max(surprise_nats, 0.0)):,.0f}"


def _seconds(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return (
        f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} d"
    )


def _bytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
