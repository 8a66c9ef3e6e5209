"""Who leaves out the fields that nobody looks at: the engine, or we.

    filtered, whole (few) ─▶ small enough? ─▶ whole and filtered, in turns
        ─▶ from then on the way that came faster

To filter documents an engine reads each of them; where they hold little else, that
costs more than it saves. Where they are large, far away or put together anew (a
synthetic `_source`), it pays. So both are tried on the first pages of a source, and
what the clock says is kept until the process ends.
"""

from dataclasses import dataclass, field

MOST_BYTES = 4096
FEW = 100
FASTER = 0.9
_FIRST = (False, None)  # finds nothing warm; few whole ones, for their size
_TRIAL = (*_FIRST, True, False, True, False, True, False)


@dataclass(frozen=True, slots=True)
class Ask:
    """How to ask for the next page: `whole` documents or not, and how many."""

    whole: bool
    size: int
    trial: int | None = None


@dataclass(slots=True)
class Filtering:
    """What is known of it, of one source. `allowed` False: the engine always filters.

    May be asked by one thread and told by another.
    """

    allowed: bool = True
    _trial: int = 0
    _whole: bool = False
    _fastest: dict[bool, float] = field(default_factory=dict)

    @classmethod
    def decided_for(cls, *, whole: bool) -> "Filtering":
        """Without a trial."""
        return cls(_trial=len(_TRIAL), _whole=whole)

    @property
    def decided(self) -> bool:
        """Whether there is nothing left to try."""
        return not self.allowed or self._trial >= len(_TRIAL)

    def ask(self, size: int, *, may_try: bool) -> Ask:
        """How to ask for up to `size` documents.

        `may_try`: the page is one of many that are alike, and may be used for a trial.
        """
        if self.decided or not may_try:
            return Ask(self.allowed and self._whole, size)
        whole = _TRIAL[self._trial]
        if whole is None:
            return Ask(True, min(size, FEW), self._trial)
        return Ask(whole, size, self._trial)

    def came(self, ask: Ask, documents: int, size_bytes: int, seconds: float) -> None:
        """Learns from a full page: how large it was, and how long it took."""
        if ask.whole and size_bytes > MOST_BYTES * documents:
            self.allowed = False
        if ask.trial is None or ask.trial != self._trial or documents < ask.size:
            return
        self._trial += 1
        if ask.trial >= len(_FIRST):  # the fastest: others may be at work beside
            each = seconds / documents
            self._fastest[ask.whole] = min(each, self._fastest.get(ask.whole, each))
        if self._trial == len(_TRIAL):
            self._whole = self._fastest[True] < FASTER * self._fastest[False]
