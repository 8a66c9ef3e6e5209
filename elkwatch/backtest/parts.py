"""The parts of the service for a rehearsal: only Elasticsearch is real, and only read.

Neither a lease nor `elkwatch setup` is needed, no privilege but to read the sources.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from elasticsearch import Elasticsearch

from alerting import Alerting
from connector import (
    ConnectorError,
    ElasticStateStore,
    InMemoryCursorStore,
    InMemoryRunMetrics,
    InMemoryStateStore,
    Lease,
    Owner,
    PrivilegeMissing,
    SourceReport,
    preflight,
)
from connector.client import connect
from elkwatch.backtest.coverage import Coverage, WatchedSource
from elkwatch.backtest.levels import Rejudge
from elkwatch.backtest.period import Period
from elkwatch.backtest.rehearsal import ChannelName
from elkwatch.clock import SystemClock
from elkwatch.compose import (
    LEASE_TTL_S,
    Parts,
    SourceParts,
    classifier_of,
    read_limits,
)
from elkwatch.config import Config, SourceSettings, StartPoint, translate
from elkwatch.feedback import NO_OPINIONS, FeedbackBook, Opinions
from elkwatch.leadership import Leadership
from elkwatch.log_links import log_links
from elkwatch.outputs import FindingWriter, OpinionsOf, Outputs, Screened
from elkwatch.privacy import masking
from elkwatch.program_log import get_logger
from elkwatch.source_run import Reading
from kibana import Key
from model import Classifier, TrainedModel, choose_device

_log = get_logger("elkwatch.backtest")

PRETENDED = ChannelName("a channel", "pretended")


@dataclass(slots=True)
class SteppedClock:
    """Stands still until it is moved."""

    time: datetime

    def now(self) -> datetime:
        """The time it was moved to."""
        return self.time


@dataclass(frozen=True, slots=True)
class PastSource:
    """One source of the rehearsal, beside the parts that the service gets."""

    settings: SourceSettings
    parts: SourceParts
    coverage: Coverage
    report: SourceReport | None
    failure: str | None
    rejudge: Rejudge


def open_reader(config: Config) -> Elasticsearch:
    """A client that was tried. What only `monitor` may ask is not needed here."""
    client = connect(translate.client_config(config.elasticsearch))
    with suppress(PrivilegeMissing):
        preflight(client)
    return client


def past_sources(
    config: Config, client: Elasticsearch, period: Period, device: str
) -> list[PastSource]:
    """All sources, checked. Raises ConfigError, BundleError, and where none can be
    read the ConnectorError of the first."""
    cursors, limits = InMemoryCursorStore(), read_limits(config)
    classifiers = {s.name: classifier_of(s, config, device) for s in config.sources}
    shown = str if _shows_keys(config) else masking(config.privacy.mask)
    sources, failures = [], []
    for settings in config.sources:
        settings = settings.model_copy(update={"start": StartPoint(at=period.start)})
        source = WatchedSource(
            client,
            translate.source_spec(settings),
            page_size=config.limits.page_size,
            max_events=config.limits.max_events_per_session,
        )
        coverage = source.coverage = Coverage(period)
        report, failure = None, None
        try:
            report = source.check()
        except ConnectorError as error:
            failures.append(error)
            failure = str(error)
        classifier = classifiers[settings.name]
        reading = Reading(settings, source, classifier, cursors, limits)
        parts = SourceParts(
            reading, log_links(settings, config.kibana, _our_own, shown)
        )
        rejudge = partial(_with_threshold, classifier.model, config, device)
        sources.append(PastSource(settings, parts, coverage, report, failure, rejudge))
    if len(failures) == len(sources):
        raise failures[0]
    return sources


def service_parts(
    config: Config,
    client: Elasticsearch,
    sources: Sequence[PastSource],
    alerts: Alerting,
    findings: FindingWriter,
    screened: Callable[[Screened], None],
) -> Parts:
    """What the service works with, nothing of which reaches beyond this process."""
    lease = Lease(
        InMemoryStateStore(), "run", Owner.this_process(), SystemClock(), LEASE_TTL_S
    )
    leadership = Leadership(lease, config.namespace)
    outputs = Outputs(
        findings=findings,
        alerts=alerts.tracker,
        mask=masking(config.privacy.mask),
        show_keys=_shows_keys(config),
        fence=leadership.check,
        screened=screened,
        opinions=_opinions_of_now(config, client),
    )
    return Parts(
        client=client,
        sources=tuple(s.parts for s in sources),
        outputs=outputs,
        alerts=alerts,
        metrics=InMemoryRunMetrics(),
        limits=read_limits(config),
        leadership=leadership,
    )


def _opinions_of_now(config: Config, client: Elasticsearch) -> OpinionsOf:
    """Feedback as it holds now, whenever it was given: what the next run would do.

    Where it may not be read, none; it is told of.
    """
    book = FeedbackBook(ElasticStateStore(client, config.namespace))
    now = SystemClock().now()
    found: dict[str, Opinions] = {}
    try:
        found = {s.name: book.opinions(s.name, now) for s in config.sources}
    except ConnectorError as error:
        _log.warning("feedback left out", reason=str(error))
    return lambda source, _: found.get(source, NO_OPINIONS)


def channel_names(config: Config) -> tuple[ChannelName, ...]:
    """The configured channels by name; one that is made up where there are none."""
    names = (ChannelName(c.name, c.kind) for c in config.alerting.channels)
    return tuple(names) or (PRETENDED,)


def _shows_keys(config: Config) -> bool:
    return config.privacy.session_keys == "shown"


def _our_own(key: Key) -> str:
    """An object by the id we build it with; what is installed is not asked for."""
    return key.id


def _with_threshold(
    model: TrainedModel, config: Config, device: str, threshold: float
) -> Classifier:
    calibration = replace(model.calibration, threshold=threshold)
    return Classifier(
        replace(model, calibration=calibration),
        device=choose_device(device),
        language=config.alerting.language,
    )
