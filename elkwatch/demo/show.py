"""The whole product on one machine, step by step, each step said and timed.

engine ─▶ index ─▶ setup ─▶ train ─▶ run ─▶ run again ─▶ count ─▶ report ─▶ dashboards
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch
from rich.console import Console

from connector import Results, install
from elkwatch.cli.options import FileOptions
from elkwatch.clock import Clock
from elkwatch.compose import compose
from elkwatch.config import Config
from elkwatch.demo.books import compare, owed
from elkwatch.demo.dashboards import build_and_check, draw
from elkwatch.demo.display import show_findings, show_where_next
from elkwatch.demo.logs import (
    SESSION_FIELD,
    STREAM,
    demo_file,
    install_log_template,
    shifted,
    ship,
    write_ndjson,
)
from elkwatch.demo.setting import QUERY_DELAY, SESSION_TIMEOUT, configure
from elkwatch.demo.sinks import MailSink, WebhookSink
from elkwatch.demo.summary import summary_of
from elkwatch.engine import Engine, EngineOptions, start
from elkwatch.errors import ElkwatchError
from elkwatch.log_files import read_sessions
from elkwatch.privacy import masking
from elkwatch.program_log import quieted
from elkwatch.report import ReportData, build_report, report_data_from_documents
from elkwatch.rounds import Tick
from elkwatch.service import Service
from elkwatch.training_progress import TrainingProgress
from elkwatch.training_report import training_report, write_training_report
from model import (
    Classifier,
    TrainingConfig,
    choose_device,
    load_bundle,
    save_bundle,
    train,
)

_OPTIONS = FileOptions(session_fields=(SESSION_FIELD,))


@dataclass(slots=True)
class Demo:
    """One demo: where it writes, what it found so far."""

    out: Path
    clock: Clock
    console: Console
    seconds: dict[str, float] = field(default_factory=dict)
    training_page: Path | None = None

    def run(self, *, keep: bool) -> dict[str, Any]:
        """Everything; → what `summary.json` holds. Raises ElkwatchError and kin."""
        self.out.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            engine = self._engine(stack, keep=keep)
            secret = "whsec_" + secrets.token_urlsafe(32).replace("-", "A").replace(
                "_", "B"
            )
            mail = stack.enter_context(MailSink())
            hook = stack.enter_context(WebhookSink(secret))
            client = stack.enter_context(Elasticsearch(engine.url, request_timeout=60))
            indexed = self._index(client)
            config = configure(self.out, engine.url, mail, hook, secret)
            with self._step("setup", "index templates installed"):
                install(client, config.namespace)
            self._train(config)
            ticks = self._run_twice(config)
            summary = self._conclude(client, config, engine, ticks, mail, hook, indexed)
            if keep:
                engine.detach()
        url = engine.url if keep else None
        show_where_next(self.console, summary, self.out, url)
        return summary

    @contextmanager
    def _step(self, name: str, done: str) -> Iterator[None]:
        began = time.monotonic()
        with self.console.status(f"{name} …"):
            yield
        self.seconds[name] = round(time.monotonic() - began, 2)
        self._say(name, done)

    def _say(self, name: str, text: str) -> None:
        spent = self.seconds.get(name, 0.0)
        self.console.print(
            f"[green]✓[/] [bold]{name:<10}[/] {text} [dim]({spent:.1f} s)[/]"
        )

    def _engine(self, stack: ExitStack, *, keep: bool) -> Engine:
        began = time.monotonic()
        with self.console.status("engine …") as status:
            data = self.out / "elasticsearch" if keep else None
            options = EngineOptions(fast_start=False, data_dir=data)
            engine = start(options, progress=lambda step: status.update(step.message))
        if not keep:
            stack.enter_context(engine)
        else:
            stack.push(lambda kind, *_: engine.stop() if kind else None)
        self.seconds["engine"] = round(time.monotonic() - began, 2)
        self._say("engine", f"a real Elasticsearch {engine.version} at {engine.url}")
        return engine

    def _index(self, client: Elasticsearch) -> int:
        margin = QUERY_DELAY + SESSION_TIMEOUT
        documents = shifted(self.clock.now(), margin)
        with self._step(
            "index", f"{len(documents)} lines of a real PostgreSQL → {STREAM}"
        ):
            install_log_template(client)
            count = ship(client, documents)
            write_ndjson(documents, self.out / "live.ndjson.gz")
        return count

    def _train(self, config: Config) -> None:
        began = time.monotonic()
        normal = read_sessions([str(demo_file("normal"))], _OPTIONS)
        incidents = read_sessions([str(demo_file("incidents"))], _OPTIONS)
        with TrainingProgress(self.console) as progress:
            model = train(
                normal,
                TrainingConfig(),
                discover=incidents,
                device=choose_device(),
                progress=progress,
            )
        folder, now = self.out / "model", self.clock.now()
        names = ["normal.ndjson.gz", "incidents.ndjson.gz"]
        version = save_bundle(model, folder, now=now, trained_on={"files": names})
        report = training_report(
            model, version, normal, trained_at=now, mask=masking(config.privacy.mask)
        )
        self.training_page = write_training_report(report, folder)
        self.seconds["train"] = round(time.monotonic() - began, 2)
        figures = model.figures
        self._say(
            "train",
            f"Enhanced DeepLog on {figures['sessions']} normal sessions; "
            f"{len(model.classes)} classes found in {len(incidents)} unlabelled",
        )

    def _run_twice(self, config: Config) -> tuple[Tick, Tick]:
        began = time.monotonic()
        with self.console.status("run …"):
            first = self._tick(config)
        self.seconds["run"] = round(time.monotonic() - began, 2)
        progress, counts = first.sources[0].progress, first.sources[0].counts
        self._say(
            "run",
            f"{counts.documents} documents, {progress.sessions} sessions, "
            f"{progress.created} findings, {first.delivery.sent} notifications",
        )
        began = time.monotonic()
        with self.console.status("run again …"):
            second = self._tick(config)
        self.seconds["run again"] = round(time.monotonic() - began, 2)
        again = second.sources[0].progress
        self._say(
            "run again",
            f"{again.created} findings, {second.delivery.sent} "
            "notifications: nothing is doubled",
        )
        return first, second

    def _tick(self, config: Config) -> Tick:
        """One `run --once`, composed anew as a fresh process would."""
        parts = compose(config, self.clock)
        try:
            # Its logs are mostly trouble: it would be told that the model is outdated.
            with quieted("elkwatch.service"):
                tick = Service(parts, self.clock).once()
        finally:
            parts.client.close()
        if tick.failures:
            raise ElkwatchError(tick.failures[0])
        return tick

    def _conclude(
        self,
        client: Elasticsearch,
        config: Config,
        engine: Engine,
        ticks: tuple[Tick, Tick],
        mail: MailSink,
        hook: WebhookSink,
        indexed: int,
    ) -> dict[str, Any]:
        findings, runs = _read_back(client, config, self.clock)
        data = report_data_from_documents(
            findings,
            runs,
            generated_at=self.clock.now(),
            engine=f"Elasticsearch {engine.version}",
            notifications={"mails": len(mail.received), "webhooks": len(hook.received)},
        )
        read = data.documents or 0
        books = compare(
            config.sources[0].name,
            self._judge_file(),
            findings,
            owed(client, config),
            mail,
            hook,
            indexed=indexed,
            read=read,
        )
        report = self.out / "report.html"
        report.write_text(build_report(data), "utf-8")
        dashboards = self._dashboards(client, config, data)
        self._save_messages(mail, hook)
        summary = summary_of(
            engine, findings, ticks, books, mail, hook, indexed=indexed, read=read
        )
        summary["seconds"] = self.seconds
        summary["report"] = str(report)
        summary["training_report"] = str(self.training_page)
        summary |= dashboards
        text = json.dumps(summary, indent=2, ensure_ascii=False)
        (self.out / "summary.json").write_text(text + "\n", "utf-8")
        show_findings(self.console, findings, summary)
        return summary

    def _dashboards(
        self, client: Elasticsearch, config: Config, data: ReportData
    ) -> dict[str, Any]:
        """Built, checked and drawn; → what `summary.json` has of them."""
        file, page = self.out / "dashboards.ndjson", self.out / "preview.html"
        began = time.monotonic()
        objects, defects = build_and_check(file, config)
        self.seconds["dashboards"] = round(time.monotonic() - began, 2)
        told = f"{len(defects)} defects" if defects else "no defect"
        self._say("dashboards", f"{objects} Kibana objects built and checked: {told}")
        began = time.monotonic()
        with self.console.status("preview …"):
            since, now = data.period_start, self.clock.now()
            missing = draw(page, config, client, since, now, engine=data.engine)
        self.seconds["preview"] = round(time.monotonic() - began, 2)
        self._say("preview", missing or "the same dashboards drawn without Kibana")
        return {
            "dashboards": {
                "file": str(file),
                "objects": objects,
                "defects": defects,
            },
            "preview": None if missing else str(page),
        }

    def _judge_file(self) -> list[Any]:
        classifier = Classifier(load_bundle(self.out / "model"))
        sessions = read_sessions([str(self.out / "live.ndjson.gz")], _OPTIONS)
        return classifier.classify(sessions)

    def _save_messages(self, mail: MailSink, hook: WebhookSink) -> None:
        if mail.received:
            worst = max(mail.received, key=lambda m: "critical" in m.subject.lower())
            (self.out / "mail.html").write_text(worst.html, "utf-8")
            (self.out / "mail.txt").write_text(worst.text, "utf-8")
        if hook.received:
            body = json.dumps(hook.received[0].body, indent=2, ensure_ascii=False)
            (self.out / "webhook.json").write_text(body + "\n", "utf-8")


def _read_back(
    client: Elasticsearch, config: Config, clock: Clock
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    client.indices.refresh(index="logs-elkwatch.*,metrics-elkwatch.*,elkwatch-*")
    results, now = Results(client, config.namespace), clock.now()
    since = now - timedelta(days=1)
    return list(results.findings(since, now)), list(results.runs(since, now))
