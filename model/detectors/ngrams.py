"""The order of a session: which templates follow each other, one to three in a row."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from model.events import EncodedSession
from model.vocabulary import BOS, EOS

Pattern = tuple[int, ...]


def patterns(session: EncodedSession, lengths: tuple[int, ...]) -> Iterator[Pattern]:
    """Runs of 1, 2, 3 templates, repeats collapsed, within the session's bounds."""
    if 1 in lengths:
        yield from zip(set(session.ids))
    longer = [length for length in lengths if length > 1]
    if longer:
        course = collapsed(session)
        for length in longer:
            yield from zip(*(course[at:] for at in range(length)), strict=False)


def collapsed(session: EncodedSession) -> list[int]:
    """The course of a session: repeats once, with its true bounds."""
    course = [BOS] if session.starts else []
    course += [event for event, _ in groupby(session.ids)]
    if session.ends:
        course.append(EOS)
    return course
