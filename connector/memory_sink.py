"""Findings kept in memory: the answers of FindingSink, and nothing is written.

For dry runs and tests. Of each finding only a digest of what it says is kept, of the
last `remembered` ones; one that comes again after so many others counts as new.
"""

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b

import orjson

from connector.amending import as_told, finding_content
from connector.dead_letters import DeadLetter
from connector.findings import Finding, Status, finding_document
from connector.run_figures import RunFigures, TickFigures
from connector.texts import document_text
from connector.write_report import WriteOutcome, WriteReport, outcome_of, quiet_ones

REMEMBERED = 100_000


class InMemoryFindingSink:
    """The same behaviour as FindingSink without Elasticsearch."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._findings: OrderedDict[str, tuple[bytes, Status]] = OrderedDict()
        self._letters: OrderedDict[str, None] = OrderedDict()

    def write(self, findings: Sequence[Finding]) -> WriteReport:
        """See FindingSink."""
        wanted = {f.finding_id: self._as_told(f) for f in findings}
        outcomes = {i: self._write(i, f) for i, f in wanted.items()}
        return WriteReport(outcomes, quiet=quiet_ones(wanted.values()))

    def _as_told(self, finding: Finding) -> Finding:
        known = self._findings.get(finding.finding_id)
        return finding if known is None else as_told(finding, known[1])

    def dead_letter(self, letters: Sequence[DeadLetter]) -> int:
        """See FindingSink."""
        new = {one.letter_id for one in letters} - self._letters.keys()
        self._letters.update(dict.fromkeys(new))
        while len(self._letters) > self._remembered:
            self._letters.popitem(last=False)
        return len(new)

    def _write(self, finding_id: str, finding: Finding) -> WriteOutcome:
        known = self._findings.get(finding_id)
        if known is None and finding.status == "withdrawn":
            return "absent"
        kept = _digest(finding), finding.status
        self._findings[finding_id] = kept
        self._findings.move_to_end(finding_id)
        while len(self._findings) > self._remembered:
            self._findings.popitem(last=False)
        if known == kept:
            return "exists"
        return outcome_of(finding, created=known is None)


class InMemoryRunMetrics:
    """The answers of RunMetricsSink, and nothing is written."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._ids: OrderedDict[str, None] = OrderedDict()

    def write(self, *figures: RunFigures | TickFigures) -> int:
        """See RunMetricsSink."""
        new = {each.figures_id for each in figures} - self._ids.keys()
        self._ids.update(dict.fromkeys(new))
        while len(self._ids) > self._remembered:
            self._ids.popitem(last=False)
        return len(new)


def _digest(finding: Finding) -> bytes:
    content = finding_content(finding_document(finding, "memory"))
    try:
        text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # lone surrogates, numbers beyond 64 bit
        text = document_text(content).encode("utf-8", "replace")
    return blake2b(text, digest_size=16).digest()
