"""How many pages make a step: what a step found is written while the next is read."""

from __future__ import annotations

from dataclasses import dataclass

FEWEST_PAGES = 8
USUAL_PAGES = 25
MOST_PAGES = 100
FOUND_A_STEP = 100


@dataclass(slots=True)
class Pace:
    """Steps of a run over a backlog.

    Each step costs a few requests and a cursor, so they are long where little is found.
    Where much is, they are short: writing keeps up with reading, and little is left to
    be written when all is read. While the step before is still being written a step
    goes on, within bounds.
    """

    pages: int = FEWEST_PAGES
    _taken: int = 0

    def page_taken(self) -> None:
        """One more page belongs to this step."""
        self._taken += 1

    def is_over(self, *, busy: bool) -> bool:
        """Whether the step has pages enough; `busy`: the one before is at work."""
        return self._taken >= (MOST_PAGES if busy else self.pages)

    def found(self, suspicious: int) -> None:
        """The step is over, and so many sessions of it are to be looked at whole."""
        wanted = FOUND_A_STEP * max(1, self._taken) // max(1, suspicious)
        self.pages = min(max(wanted, FEWEST_PAGES), USUAL_PAGES)
        self._taken = 0
