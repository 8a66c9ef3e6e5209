"""Alerting: who is told, by which way, in which words; through the production code."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alerting import (
    KINDS,
    DeliveryError,
    InMemoryAlertStore,
    build,
    channels,
    render,
    trial_rows,
)
from elkwatch.config import AlertingSettings, EmailChannel, WebhookChannel, translate
from elkwatch.doctor.case import Case
from elkwatch.doctor.records import Check, Outcome, fail, ok, warn


def checks(case: Case) -> list[Check]:
    """The checks of this group."""
    settings = case.config.alerting
    found = [Check("messages", lambda: _messages(case))]
    if not settings.channels:
        found.append(Check("channels", _nobody))
    for channel in settings.channels:
        run = _test if case.send else _probe
        found.append(Check(f"channel {channel.name}", partial(run, case, channel)))
    return found


def _nobody() -> Iterator[Outcome]:
    yield warn(
        "none: nobody is told of anything",
        "name an email or a webhook under alerting.channels",
    )


def _messages(case: Case) -> Iterator[Outcome]:
    """Each message in each language that a channel asks for."""
    settings = case.config.alerting
    wanted = {(c.language or settings.language) for c in settings.channels}
    broken = []
    for language in sorted(wanted or {settings.language}):
        for kind in KINDS:
            message = render(
                kind,
                case.now,
                language=language,
                zone=settings.time_zone,
                templates=settings.templates,
            )
            if message.fallback is not None:
                broken.append(message.fallback)
    for line in dict.fromkeys(broken):
        yield fail(
            f"your message files in {settings.templates}: {line}",
            "mend them (`elkwatch alerts render --templates DIR`); until then the "
            "built-in message is sent",
        )
    if not broken:
        whose = "built-in" if settings.templates is None else "your"
        yield ok(f"{whose} messages, {', '.join(sorted(wanted)) or settings.language}")


def _probe(case: Case, channel: EmailChannel | WebhookChannel) -> Iterator[Outcome]:
    """As far as a message would go, without one."""
    (made,) = channels(translate.alerting_config(_alone(case, channel)))
    try:
        receipt = made.notifier.probe()
    except DeliveryError as error:
        yield _failed(error.reason, channel)
    else:
        yield ok(f"{receipt.detail}; nothing was sent (--send sends a test message)")


def _test(case: Case, channel: EmailChannel | WebhookChannel) -> Iterator[Outcome]:
    """A test message, as `elkwatch alerts test` sends one."""
    settings = translate.alerting_config(_alone(case, channel))
    outbox = build(settings, InMemoryAlertStore(), case.clock).outbox
    outbox.owe(trial_rows(settings, case.now))
    for attempt in outbox.deliver(case.now).attempts:
        if attempt.outcome == "sent":
            yield ok(f"a test message was sent: {attempt.reason}")
        else:
            yield _failed(attempt.reason, channel)


def _alone(case: Case, channel: EmailChannel | WebhookChannel) -> AlertingSettings:
    """One that cannot work must not hide the others."""
    return case.config.alerting.model_copy(update={"channels": (channel,)})


def _failed(reason: str, channel: EmailChannel | WebhookChannel) -> Outcome:
    """With the cure of the reason, or else with where to look."""
    what, _, cure = reason.rpartition("; ")
    if what:
        return fail(what, cure)
    if isinstance(channel, EmailChannel):
        return fail(reason, "check host, port, security and log-in under smtp")
    return fail(reason, "check url, proxy and certificates of this channel")
