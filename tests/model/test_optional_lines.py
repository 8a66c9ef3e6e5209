"""Which templates come or not while all else is equal."""

from __future__ import annotations

from model.detectors.support import SupportDistance
from model.events import EncodedSession
from model.optional_lines import optional_events
from model.vocabulary import RESERVED

OPEN, READ, WRITE, CHECK, CLOSE = range(RESERVED, RESERVED + 5)


def optional(**flows: int) -> frozenset[int]:
    """Of sessions named by the first letters of what they hold, and how many."""
    letters = dict(zip("orwcx", (OPEN, READ, WRITE, CHECK, CLOSE), strict=True))
    support = SupportDistance()
    support.fit(
        [
            EncodedSession(tuple(letters[c] for c in name), True, True)
            for name, times in flows.items()
            for _ in range(times)
        ]
    )
    return optional_events(support)


def test_a_line_that_comes_or_not_in_every_flow_is_optional() -> None:
    assert optional(orx=60, orcx=20, owwx=60, owwcx=20) == {CHECK}


def test_a_line_that_one_flow_always_has_is_not() -> None:
    assert optional(orx=60, orcx=5, owwcx=60) == frozenset()


def test_flows_that_differ_in_more_than_one_line_differ() -> None:
    assert optional(orx=60, owcx=60) == frozenset()


def test_a_few_sessions_that_lack_a_line_do_not_make_it_optional() -> None:
    assert optional(orcx=198, orx=2) == frozenset()
    assert optional(orcx=190, orx=10) == {CHECK}
