"""Renders message files: the user's where they work, else the built-in ones.

    <kind>.<language>.subject.j2   one line
    <kind>.<language>.text.j2      plain text
    <kind>.html.j2                 HTML; its words come from words.<language>.j2

A user's folder may hold any of these; the language may be in the name or not
(``opened.text.j2``, ``opened.zh.html.j2``). Log text is data here, never a template.
If a user's file fails in any way, the whole message is the built-in one and says so in
one line: an alert is always sent.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    TemplateNotFound,
    TemplateSyntaxError,
)

from alerting.errors import AlertingConfigError, MessageError
from alerting.lifecycle import MessageKind
from alerting.links import NO_LINKS, Links
from alerting.messages.clean import one_line
from alerting.messages.facts import Facts, Wording, catch_up_facts, episode_facts
from alerting.messages.sandbox import Sandbox, environment, generate
from alerting.news import CatchUpNews, EpisodeNews

LANGUAGES: Final = ("en", "zh")
KINDS: Final[tuple[MessageKind, ...]] = ("opened", "ongoing", "resolved", "catch-up")
BUILT_IN: Final = Path(__file__).parent

MAX_SUBJECT = 200
MAX_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message in its three forms. fallback: why the user's files were not used."""

    subject: str
    text: str
    html: str
    fallback: str | None = None


class Messages:
    """The words of one channel.

    language: ``en`` or ``zh``. zone: IANA name of the readers' time zone. templates:
    the user's folder of message files. Raises AlertingConfigError for any that is not.
    """

    def __init__(
        self, language: str = "en", zone: str = "UTC", templates: Path | None = None
    ) -> None:
        if language not in LANGUAGES:
            raise AlertingConfigError(
                f"alerting.language {language!r}: known are {', '.join(LANGUAGES)}"
            )
        if templates is not None and not templates.is_dir():
            raise AlertingConfigError(
                f"alerting.templates {templates}: no such folder; make it, or leave "
                "the setting out to use the built-in messages"
            )
        self._wording = Wording(language, _zone(zone))
        self._language = language
        self._built_in = _Files([BUILT_IN])
        self._users = None
        if templates is not None:
            self._users = _Files([templates, BUILT_IN])

    def render(
        self,
        kind: MessageKind,
        news: EpisodeNews | CatchUpNews,
        links: Links = NO_LINKS,
    ) -> Rendered:
        """That kind of message. Raises MessageError only if a built-in one fails."""
        if isinstance(news, CatchUpNews):
            facts = catch_up_facts(news, self._wording, links)
        else:
            facts = episode_facts(kind, news, self._wording, links)
        facts |= {"words": f"words.{self._language}.j2", "fallback": None}
        fallback = None
        if self._users is not None:
            try:
                return self._all(self._users, kind, facts, MAX_SECONDS)
            except MessageError as error:
                fallback = one_line(str(error))
        return self._all(self._built_in, kind, facts | {"fallback": fallback}, None)

    def _all(
        self, files: _Files, kind: MessageKind, facts: Facts, seconds: float | None
    ) -> Rendered:
        subject, text, html = (
            _part(
                files.sandbox, files.named(kind, self._language, part), facts, seconds
            )
            for part in ("subject", "text", "html")
        )
        return Rendered(
            subject=one_line(subject, MAX_SUBJECT),
            text=text.strip("\n") + "\n",
            html=html.strip() + "\n",
            fallback=facts["fallback"],
        )


class _Files:
    """Message files of these folders, the first before the second."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._loaders = [FileSystemLoader(folder) for folder in folders]
        self.sandbox = environment(ChoiceLoader(self._loaders))

    def named(self, kind: MessageKind, language: str, part: str) -> str:
        """The file for this part: any of the first folder before those of the next."""
        names = (f"{kind}.{language}.{part}.j2", f"{kind}.{part}.j2")
        for loader in self._loaders:
            for name in names:
                if self._has(loader, name):
                    return name
        return names[0]

    def _has(self, loader: FileSystemLoader, name: str) -> bool:
        """Whether there is such a file; one that cannot be read counts as there."""
        try:
            loader.get_source(self.sandbox, name)
        except TemplateNotFound:
            return False
        except (OSError, ValueError):
            return True
        return True


def _part(sandbox: Sandbox, name: str, facts: Facts, seconds: float | None) -> str:
    try:
        return generate(sandbox, name, facts, seconds)
    except TemplateSyntaxError as error:
        where = f"{error.name or name} line {error.lineno}"
        raise MessageError(f"{where}: {error.message}") from error
    except TemplateNotFound as error:
        raise MessageError(f"{name}: no message file {error.name}") from error
    except Exception as error:  # whatever a message file provokes is its own fault
        raise MessageError(f"{_where(error, name)}: {_what(error)}") from error


def _where(error: BaseException, name: str) -> str:
    """The innermost message file and line of a traceback."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.endswith(".j2"):
            return f"{Path(frame.filename).name} line {frame.lineno}"
    return name


def _what(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return one_line(str(error)) or type(error).__name__


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise AlertingConfigError(
            f"alerting.zone {name!r}: not an IANA time zone; write it like "
            "Asia/Shanghai or UTC"
        ) from error
