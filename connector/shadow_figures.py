"""What a candidate model would have said of the sessions of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ShadowFigures:
    """One run over one source, seen by the live model and by a candidate.

    Alarms are counted as sessions are screened, by both in the same way. `appear`: the
    candidate alone; `vanish`: the live one alone. `kinds`: how often a confirmed
    session has the class `live → candidate`. Seconds are those of scoring.
    """

    live: str
    candidate: str
    sessions: int = 0
    both: int = 0
    appear: int = 0
    vanish: int = 0
    kinds: Mapping[tuple[str, str], int] = field(default_factory=dict)
    live_s: float = 0.0
    candidate_s: float = 0.0
    appearing: Sequence[str] = ()
    vanishing: Sequence[str] = ()
    failure: str | None = None

    def body(self) -> dict[str, Any]:
        """What stands under `elkwatch.shadow`."""
        return {
            "live": self.live,
            "candidate": self.candidate,
            "sessions": self.sessions,
            "both": self.both,
            "appear": self.appear,
            "vanish": self.vanish,
            "live_s": round(self.live_s, 4),
            "candidate_s": round(self.candidate_s, 4),
            "appearing": list(self.appearing),
            "vanishing": list(self.vanishing),
            **({"failure": self.failure} if self.failure else {}),
            "kinds": [
                {"live": live, "candidate": candidate, "count": count}
                for (live, candidate), count in self.kinds.items()
            ],
        }
