"""People's feedback on a source, for commands that judge its logs in files.

Where Elasticsearch cannot be asked the logs are judged without, and that is told: the
files may be judged on a machine that reaches nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connector import ConnectorError, ElasticStateStore
from elkwatch.clock import SystemClock
from elkwatch.compose import mask_with_key, open_client
from elkwatch.config import Config
from elkwatch.feedback.book import FeedbackBook
from elkwatch.feedback.opinions import NO_OPINIONS, AdviceOf, Opinions
from model import Catalogue, Verdict

FALSE_ALARM = "false-alarm"


@dataclass(frozen=True, slots=True)
class SaidOfSource:
    """What people said of a source, and the mask that its signatures are made with."""

    source: str
    opinions: Opinions = NO_OPINIONS
    mask: Callable[[str], str] = str

    def review(
        self, verdict: Verdict, advice_of: AdviceOf
    ) -> tuple[Verdict, dict[str, Any]]:
        """The verdict as it stands, and what is written of it beside."""
        reviewed = self.opinions.review(verdict, self.source, self.mask, advice_of)
        if reviewed.mark is None:
            return verdict, {}
        mark = reviewed.mark
        said = {
            "id": mark.feedback_id,
            "verdict": mark.verdict,
            "who": mark.who,
            "reason": mark.reason,
        }
        return reviewed.verdict, {"feedback": said, "suppressed": reviewed.suppressed}


def said_of(config: Config, source: str, tell: Callable[[str], None]) -> SaidOfSource:
    """The feedback that holds now; none, and a line about it, where none can be had."""
    clock = SystemClock()
    try:
        with open_client(config) as client:
            state = ElasticStateStore(client, config.namespace)
            opinions = FeedbackBook(state).opinions(source, clock.now())
            return SaidOfSource(source, opinions, mask_with_key(config, state, clock))
    except ConnectorError as error:
        tell(f"judged without people's feedback: {error}; --no-feedback asks for none")
        return SaidOfSource(source)


def advice_in(catalogue: Catalogue, language: str) -> AdviceOf:
    """What the catalogue says of a kind that a person named."""
    entries = {rule.entry.entry_id: rule.entry for rule in catalogue.rules}
    known = {**entries, **catalogue.classes}
    return lambda kind: known[kind].told_in(language) if kind in known else None
