"""Findings and run figures as a day of a PostgreSQL shop would leave them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from connector import (
    EvidenceLine,
    Finding,
    RunFigures,
    TickFigures,
    finding_document,
    run_document,
    tick_document,
)
from elkwatch.report import ReportData, Table, report_data_from_documents

DAY = datetime(2026, 11, 22, tzinfo=UTC)
TOMORROW = DAY + timedelta(days=1)
MODEL = "shop-db-20261121T0400"
EVIL = "<script>document.title='hacked'</script>\"'&<img src=x onerror=alert(1)>"

# id, name, pattern, severity, known, advice, causes, message, template, expected,
# missing
KINDS: tuple[tuple[Any, ...], ...] = (
    (
        "deadlock", "PostgreSQL deadlock", "new-event", "high", True,
        "PostgreSQL has cancelled one of the transactions; the client must retry it. "
        "Read the DETAIL and CONTEXT of the line for both statements and the rows. "
        "Make all code paths lock rows in the same order (for example by primary "
        "key), keep transactions short, and retry on SQL state 40P01 with back-off.",
        ("two transactions lock the same rows in opposite order",
         "long transactions that hold many row locks"),
        "deadlock detected\nDETAIL: Process 5306 waits for ShareLock on transaction "
        "9122; blocked by process 5309.", "deadlock detected",
        (("execute <*>: COMMIT", 0.71), ("execute <*>: UPDATE items SET stock = "
          "stock - <*> WHERE id = <*>", 0.22)), (),
    ),
    (
        "disk-full", "disk full", "new-event", "critical", True,
        "Writes fail now. Check df for the data, tablespace and pg_wal volumes. Free "
        "space outside the data directory or grow the volume; never delete files in "
        "pg_wal by hand.",
        ("data, temporary files or WAL filled the volume",
         "a replication slot that nobody reads keeps WAL"),
        'could not write to file "base/pgsql_tmp/pgsql_tmp4021.0": No space left on '
        "device", 'could not write to file <*>: No space left on device',
        (("temporary file: path <*>, size <*>", 0.93),), (),
    ),
    (
        "c03", "unexpected repetition of SELECT orders", "repetition", "medium", True,
        "Find what is repeated and why it does not succeed: look at the line just "
        "before the first repetition. Check the client's retry limits and back-off.",
        ("a client that retries a failing operation in a loop",
         "a resource that stays unavailable"),
        "execute <unnamed>: SELECT id, status FROM orders WHERE id = $1",
        "execute <unnamed>: SELECT id, status FROM orders WHERE id = <*>",
        (("execute <unnamed>: COMMIT", 0.88),
         ("disconnection: session time: <*>", 0.07),
         ("execute <unnamed>: BEGIN", 0.02)), (),
    ),
    (
        "missing-step", "missing step", "missing-step", "medium", False,
        "A flow ended before a step that always came. Look at what the last line "
        "waited for, and whether the client was ended.",
        ("the client was ended half-way",),
        "disconnection: session time: 0:00:04.120 user=app database=shop",
        "disconnection: session time: <*> user=<*> database=<*>",
        (("execute <unnamed>: INSERT INTO payments", 0.97),),
        ("execute <unnamed>: INSERT INTO payments VALUES <*>",
         "execute <unnamed>: COMMIT"),
    ),
    (
        "slight-deviation", "slight deviation", "slight-deviation", "low", False,
        "Nothing stands out by itself; look at the lines marked below, and at what was "
        "released lately.", (), "checkpoint starting: immediate force wait",
        "checkpoint starting: <*>", (("checkpoint starting: time", 0.99),), (),
    ),
)  # fmt: skip


def finding(number: int, kind: int = 0, **changes: Any) -> Finding:
    """The n-th finding of a day, a few minutes apart."""
    (class_id, name, pattern, severity, known, advice, causes, message, template,
     expected, missing) = KINDS[kind % len(KINDS)]  # fmt: skip
    end = DAY + timedelta(minutes=(number * 37) % 1440, seconds=number % 60)
    values: dict[str, Any] = {
        "source": "shop-db",
        "session": f"6b03{number:04x}.{number * 7 % 4096:x}",
        "window_start": None,
        "start": end - timedelta(seconds=4 + number % 90),
        "end": end,
        "events": 9 + number % 40,
        "detected_at": end + timedelta(seconds=45),
        "score": 6.1 + (number % 17) / 3,
        "threshold": 5.2,
        "risk": 55 + (number * 13) % 45,
        "confidence": 0.62 + (number % 37) / 100,
        "class_id": class_id,
        "class_name": name,
        "pattern": pattern,
        "severity": severity,
        "known": known,
        "advice": advice,
        "causes": causes,
        "model_version": MODEL,
        "unknown_ratio": 0.01,
        "service": ("shop-db", "billing-db", "search")[number % 7 // 3],
        "host": f"db-{1 + number % 4}",
        "fingerprint": f"{class_id}|shop-db",
        "evidence": (
            EvidenceLine(7, template, message, 9.1, expected, f"doc-{number}"),
            EvidenceLine(
                8,
                "statement: ROLLBACK",
                "statement: ROLLBACK",
                3.4,
                (("execute <unnamed>: COMMIT", 0.96),),
            ),
        ),
        "missing": missing,
        "log_url": f"https://kibana.example.org/app/discover#/?id={number}",
    }
    return Finding(**(values | changes))


def findings(count: int = 140) -> Iterator[dict[str, Any]]:
    """Documents of many kinds, as the findings stream holds them."""
    weights = (0, 0, 1, 2, 2, 2, 2, 3, 4, 4)
    for number in range(count):
        # A burst around 14:00, as trouble comes.
        kind = weights[number % len(weights)]
        made = finding(number, kind)
        if number % 4 == 0:
            end = DAY + timedelta(hours=13, minutes=50 + number % 40)
            made = finding(number, kind, end=end, start=end - timedelta(seconds=9))
        yield finding_document(made, "default")


def runs(count: int = 240) -> Iterator[dict[str, Any]]:
    """Run figures of two sources, one of which failed once."""
    for number in range(count):
        for source in ("shop-db", "checkout"):
            start = DAY + timedelta(minutes=6 * number)
            failed = source == "checkout" and number == 100
            figures = RunFigures(
                run_id=f"r{number}",
                source=source,
                started_at=start,
                ended_at=start + timedelta(seconds=2 + number % 5),
                documents_read=0 if failed else 430 + number % 50,
                documents_late=int(number % 9 == 0),
                problems=int(number == 7),
                sessions_scored=0 if failed else 38,
                sessions_confirmed=3,
                dead_letters=int(number == 7),
                unknown_ratio=0.004,
                lag_s=31.5 + number % 7,
                model_version=MODEL,
                durations_s={"read": 0.4, "score": 1.1 + number % 3, "write": 0.2},
                failure="Elasticsearch at https://es:9200 does not answer"
                if failed
                else None,
            )
            yield run_document(figures, "default")
        ended = DAY + timedelta(minutes=6 * number, seconds=9)
        sent = TickFigures(f"r{number}", ended, ended, sent=2 * int(number % 40 == 0))
        yield tick_document(sent, "default")


def whole(**changes: Any) -> ReportData:
    """The data of that day, with what else a report may show."""
    values: dict[str, Any] = {
        "generated_at": TOMORROW,
        "engine": "Elasticsearch 8.19.8",
        "notifications": {"mails": 14, "webhook calls": 13},
        "quality": Table(("Kind", "F1"), (("all", "0.989"),), "against labels"),
    }
    return report_data_from_documents(findings(), runs(), **(values | changes))


def evil() -> dict[str, Any]:
    """A finding with an attack in every text."""
    line = EvidenceLine(
        1, EVIL, EVIL + "\u202egnp.exe\x1b[31m\x00", 200.0, ((EVIL, 0.5),)
    )
    made = finding(
        1, 0, session=EVIL, class_name=EVIL, advice=EVIL, causes=(EVIL,), service=EVIL,
        host=EVIL, evidence=(line,), missing=(EVIL,), class_id=EVIL, pattern=EVIL,
        source=EVIL, model_version=EVIL, log_url="javascript:alert(1)",
    )  # fmt: skip
    return finding_document(made, "default")
