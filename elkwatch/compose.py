"""The composition root: from the configuration to parts that are ready to run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from elasticsearch import Elasticsearch

import alerting
from connector import (
    ElasticCursorStore,
    ElasticStateStore,
    FindingSink,
    Lease,
    LogSource,
    Owner,
    RunFigures,
    RunMetricsSink,
    SetupMissing,
    SourceError,
    StateStore,
    TickFigures,
    missing,
)
from connector.client import connect, preflight
from elkwatch.alert_store import AlertStateStore
from elkwatch.clock import Clock
from elkwatch.config import Config, SourceSettings, translate
from elkwatch.errors import ConfigError
from elkwatch.feedback import FeedbackBook
from elkwatch.installed_objects import ElasticInstallStore
from elkwatch.leadership import Leadership
from elkwatch.live_model import LiveModel
from elkwatch.log_links import Located, log_links
from elkwatch.message_links import InstalledIds, KibanaLinks
from elkwatch.outputs import LogUrl, Outputs
from elkwatch.privacy import Mask, Masker, mask_program_log, stored_key
from elkwatch.program_log import get_logger
from elkwatch.read_limits import ReadLimits
from elkwatch.source_run import Reading
from elkwatch.source_threshold import as_decided
from model import (
    Catalogue,
    Classifier,
    candidate_folder,
    choose_device,
    load_bundle,
    load_catalogue,
)

LEASE_TTL_S = 60.0


_log = get_logger("elkwatch.compose")


class FiguresWriter(Protocol):
    """Takes the figures of runs and rounds, each once."""

    def write(self, *figures: RunFigures | TickFigures) -> int:
        """Keeps them; → how many were new."""
        ...


@dataclass(frozen=True, slots=True)
class SourceParts:
    """One source, ready to run.

    `live`: its model on disk, `candidate`: one beside it. None: nobody looks for it.
    """

    reading: Reading
    log_url: LogUrl
    live: LiveModel | None = None
    candidate: LiveModel | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """All that the service needs."""

    client: Elasticsearch
    sources: tuple[SourceParts, ...]
    outputs: Outputs
    alerts: alerting.Alerting
    metrics: FiguresWriter
    limits: ReadLimits
    leadership: Leadership


def open_client(config: Config, *, api_key: str | None = None) -> Elasticsearch:
    """A client that was tried. Raises ConnectorError with one line on the cure."""
    client = connect(translate.client_config(config.elasticsearch, api_key=api_key))
    preflight(client)
    return client


def compose(config: Config, clock: Clock, *, device: str = "auto") -> Parts:
    """Everything connected and checked; nothing may be written before it leads.

    But for the key of the masks: whoever is first makes it.

    Raises ConfigError, BundleError, ConnectorError (down, refused, index or field
    missing, index templates missing), AlertingConfigError: each before any work.
    """
    classifiers = {s.name: classifier_of(s, config, device) for s in config.sources}
    channels = translate.alerting_config(config.alerting)
    client = open_client(config)
    refuse_without_setup(client)
    limits = read_limits(config)
    state = ElasticStateStore(client, config.namespace)
    leadership = _leadership(config, state, clock)
    located = installed_ids(config, state, clock)
    alerts = alerting.build(
        channels,
        AlertStateStore(state),
        clock,
        alone=True,
        links=message_links(config, located),
    )
    cursors = ElasticCursorStore(state)
    mask = mask_with_key(config, state, clock)
    shown = config.privacy.session_keys == "shown"
    sources = []
    for settings in config.sources:
        source = _log_source(client, settings, config)
        reading = Reading(settings, source, classifiers[settings.name], cursors, limits)
        link = log_links(settings, config.kibana, located, str if shown else mask)
        live = _on_disk(Path(str(settings.model)), settings, config, device)
        beside = candidate_folder(Path(str(settings.model)))
        candidate = _on_disk(beside, settings, config, device)
        sources.append(SourceParts(reading, link, live, candidate))
    _check_sources(sources)
    outputs = Outputs(
        findings=FindingSink(client, config.namespace),
        alerts=alerts.tracker,
        mask=mask,
        show_keys=shown,
        include_normal=config.results.include_normal,
        fence=leadership.check,
        opinions=FeedbackBook(state).opinions,
    )
    metrics = RunMetricsSink(client, config.namespace)
    return Parts(client, tuple(sources), outputs, alerts, metrics, limits, leadership)


def _log_source(
    client: Elasticsearch, settings: SourceSettings, config: Config
) -> LogSource:
    return LogSource(
        client,
        translate.source_spec(settings),
        page_size=config.limits.page_size,
        max_events=config.limits.max_events_per_session,
    )


def _on_disk(
    folder: Path, settings: SourceSettings, config: Config, device: str
) -> LiveModel:
    return LiveModel(
        folder, lambda: loaded_classifier(folder, settings, config, device)
    )


def installed_ids(config: Config, state: ElasticStateStore, clock: Clock) -> Located:
    """What our Kibana objects are called in the configured space."""
    space = config.kibana.space if config.kibana is not None else "default"
    return InstalledIds(ElasticInstallStore(state), space, clock)


def message_links(config: Config, located: Located) -> alerting.Links | None:
    """Where messages lead; None where no Kibana is configured."""
    if config.kibana is None:
        return None
    return KibanaLinks(config.kibana, located)


def read_limits(config: Config) -> ReadLimits:
    """How reading is bounded and delayed, by the configuration."""
    return ReadLimits(
        query_delay=config.schedule.query_delay,
        overlap=config.schedule.overlap,
        max_open=config.limits.max_open_sessions,
        max_events=config.limits.max_events_per_session,
    )


def _leadership(config: Config, state: ElasticStateStore, clock: Clock) -> Leadership:
    lease = Lease(state, "run", Owner.this_process(), clock, LEASE_TTL_S)
    return Leadership(lease, config.namespace)


def _check_sources(sources: Sequence[SourceParts]) -> None:
    """Refuses to start where no source can be read.

    One of several that cannot is told of, and tried again at each tick.
    """
    failures: list[SourceError] = []
    for parts in sources:
        try:
            parts.reading.source.check()
        except SourceError as error:
            failures.append(error)
    if failures and len(failures) == len(sources):
        raise failures[0]
    for failure in failures:
        _log.error("source cannot be read yet", reason=str(failure))


def mask_with_key(config: Config, state: StateStore, clock: Clock) -> Mask:
    """What hides excerpts, with the key of this namespace where there is any to hide.

    What a program log quotes is hidden by the same.
    """
    if not config.privacy.mask:
        return Masker(())
    key = stored_key(state, clock)
    mask_program_log(config, key)
    return Masker(config.privacy.mask, key)


def classifier_of(settings: SourceSettings, config: Config, device: str) -> Classifier:
    """The model of a source, loaded. Raises ConfigError, BundleError, DeviceError."""
    if settings.model is None:
        raise ConfigError(
            f"source {settings.name}: no model; make one with `elkwatch train "
            f"--from-es {settings.name} --out models/{settings.name}` and name it "
            "as its `model`"
        )
    return loaded_classifier(Path(settings.model), settings, config, device)


def loaded_classifier(
    folder: Path, settings: SourceSettings, config: Config, device: str
) -> Classifier:
    """A bundle, ready to work on a source. Raises BundleError, DetectorError,
    DeviceError, CatalogueError, ConfigError.
    """
    chosen = choose_device(device)
    return Classifier(
        as_decided(load_bundle(folder), folder, settings, chosen),
        device=chosen,
        language=config.alerting.language,
        catalogue=_catalogue(config),
        mask=Masker(config.privacy.mask).unnumbered,
    )


def _catalogue(config: Config) -> Catalogue:
    return load_catalogue(config.catalogue)


def refuse_without_setup(client: Elasticsearch) -> None:
    """Raises SetupMissing: without our index templates mappings would be others."""
    lacking = missing(client)
    if lacking:
        raise SetupMissing(
            f"Elasticsearch lacks what elkwatch writes to ({', '.join(lacking)}); "
            "run `elkwatch setup` once"
        )
