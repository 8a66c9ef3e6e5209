"""What is examined: a configuration, and what its checks have in common.

Parts that several checks use are made once, by the check that is named after them, and
kept here; a check that needs one names that check among its needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from connector import LogSource, RetryPolicy
from elkwatch.clock import Clock
from elkwatch.config import Config, SourceSettings

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from connector import EngineInfo, LogDocument
    from model import Classifier

# A doctor says at once what is wrong now; the service is the one that is patient.
IMPATIENT = RetryPolicy(attempts=2, first_wait_s=0.2, max_wait_s=1.0)


@dataclass(frozen=True, slots=True)
class Sample:
    """The newest lines of a source, the newest first."""

    documents: tuple[LogDocument, ...]


@dataclass(slots=True)
class Case:
    """A configuration under examination. `send`: whether to send test messages."""

    config: Config
    file: Path
    clock: Clock
    device: str = "auto"
    send: bool = False
    only: tuple[str, ...] = ()
    _client: Elasticsearch | None = None
    info: EngineInfo | None = None
    readers: dict[str, LogSource] = field(default_factory=dict)
    samples: dict[str, Sample] = field(default_factory=dict)
    classifiers: dict[str, Classifier] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        """The present time."""
        return self.clock.now()

    @property
    def client(self) -> Elasticsearch:
        """The client that the check of the connection made."""
        assert self._client is not None  # checks that use it need that one
        return self._client

    @client.setter
    def client(self, client: Elasticsearch) -> None:
        self._client = client

    @property
    def sources(self) -> tuple[SourceSettings, ...]:
        """The sources to look at: all, or those that were asked for."""
        return tuple(
            s for s in self.config.sources if not self.only or s.name in self.only
        )

    def close(self) -> None:
        """Ends the connection, if there is one."""
        if self._client is not None:
            self._client.close()
