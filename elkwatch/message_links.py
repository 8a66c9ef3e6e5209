"""From a message to its findings and dashboards in Kibana, by what was installed."""

from __future__ import annotations

from datetime import datetime, timedelta

from alerting import Subject
from connector import ConnectorError
from elkwatch.clock import Clock
from elkwatch.config import KibanaSettings
from elkwatch.log_links import Located
from elkwatch.program_log import get_logger
from kibana import (
    CLASS_DETAIL,
    FINDINGS_VIEW,
    OVERVIEW,
    InstallRecord,
    InstallStore,
    Key,
    Pages,
    kql,
)

AROUND_DASHBOARD = timedelta(hours=1)
MAY_GROW_FOR = timedelta(days=1)
REMEMBERED_FOR = timedelta(minutes=5)

_COLUMNS = (
    "elkwatch.severity",
    "rule.name",
    "service.name",
    "message",
    "rule.description",
    "event.url",
)

_log = get_logger("elkwatch.message_links")


class InstalledIds:
    """The ids our objects have in a space; asked again after five minutes.

    Where nothing is known, or the store cannot be read, an object has our own id: that
    is right in the first space that it was installed or imported in.
    """

    def __init__(self, store: InstallStore, space: str, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._record = InstallRecord(space)
        self._asked_at: datetime | None = None

    def __call__(self, key: Key) -> str:
        now = self._clock.now()
        if self._asked_at is None or now - self._asked_at >= REMEMBERED_FOR:
            self._asked_at = now
            try:
                space = self._record.space
                self._record = self._store.load(space) or InstallRecord(space)
            except ConnectorError as error:
                _log.warning("links keep the ids known before", reason=str(error))
        return self._record.where(key)


class KibanaLinks:
    """alerting.Links into a Kibana."""

    def __init__(self, settings: KibanaSettings, located: Located) -> None:
        self._pages = Pages(str(settings.url), settings.space)
        self._located = located

    def finding(self, finding_id: str, start: datetime, end: datetime) -> str:
        """See Links. A session may grow, and its finding move on, after the message."""
        return self._findings({"event.id": finding_id}, start, end + MAY_GROW_FOR)

    def findings(self, about: Subject) -> str:
        """See Links."""
        return self._findings(_conditions(about), about.since, about.until)

    def dashboard(self, about: Subject) -> str:
        """See Links. That of the class, or the overview where it is about several."""
        ours = CLASS_DETAIL if about.class_id is not None else OVERVIEW
        conditions = {
            name: value
            for name, value in _conditions(about).items()
            if name != "elkwatch.fingerprint"
        }
        return self._pages.dashboard(
            self._located(Key("dashboard", ours)),
            kql(conditions),
            about.since - AROUND_DASHBOARD,
            about.until + AROUND_DASHBOARD,
        )

    def _findings(
        self, conditions: dict[str, str | None], start: datetime, end: datetime
    ) -> str:
        return self._pages.discover(
            self._located(Key("index-pattern", FINDINGS_VIEW)),
            kql(conditions),
            start,
            end,
            columns=_COLUMNS,
            order="desc",
        )


def _conditions(about: Subject) -> dict[str, str | None]:
    found = {
        "elkwatch.source": about.source,
        "rule.id": about.class_id,
        "elkwatch.fingerprint": about.fingerprint,
    }
    return {name: value for name, value in found.items() if value is not None}
