from pathlib import Path

import pytest

from model import CatalogueError, load_catalogue
from model.catalogue import LANGUAGES, SEVERITIES, joined_rules
from model.catalogue.joined_rules import BLOCK, first_match
from model.catalogue.loading import rule_from

LINES = [
    ("ERROR:  deadlock detected", "postgresql-deadlock"),
    ("could not extend file: No space left on device", "postgresql-disk-full"),
    ("java.lang.OutOfMemoryError: Java heap space", "jvm-heap-full"),
    ("dial tcp: connection refused", "connection-lost"),
    ("Out of memory: Killed process 71 (java) total-vm:9kB", "linux-oom-kill"),
    ("Buffer I/O error on dev sda1, logical block 7", "linux-io-error"),
    ("shop.service: Failed with result 'exit-code'.", "systemd-unit-failed"),
    ("shop.service: Start request repeated too quickly.", "systemd-restart-loop"),
    ("Failed password for root from 10.0.0.9 port 41", "sshd-failed-logins"),
    ("task java:71 blocked for more than 120 seconds.", "linux-hung-task"),
    ("no live upstreams while connecting to upstream", "nginx-upstream-down"),
    ("upstream timed out (110: ...) while reading", "nginx-upstream-timeout"),
    ("1024 worker_connections are not enough", "nginx-worker-limit"),
    ("x509: certificate signed by unknown authority", "tls-certificate"),
    ("client intended to send too large body: 9 bytes", "http-body-too-large"),
    ('10.0.0.9 - - "GET /cart HTTP/1.1" 503 197', "http-server-errors"),
    ("Could not obtain block: blk_17 file=/a", "hdfs-replica-missing"),
    ("writeBlock blk_7 received exception java.io.X", "hdfs-write-pipeline"),
    ("Unexpected error trying to delete block blk_7", "hdfs-delete-unknown-block"),
    ("Cannot create file. Name node is in safe mode.", "hdfs-safe-mode"),
    ("Error communicating with RM: gone", "hadoop-node-lost"),
    ("Shuffle$ShuffleError: error in shuffle in f#3", "hadoop-shuffle-error"),
    ("Back-off restarting failed container shop", "kubernetes-crash-loop"),
    ("Failed to pull image shop:9: not found", "kubernetes-image-pull"),
    ("0/3 nodes are available: 3 Insufficient cpu.", "kubernetes-unschedulable"),
    ("Readiness probe failed: HTTP probe failed", "kubernetes-probe-failed"),
    ("The node was low on resource: memory.", "kubernetes-evicted"),
    ("Kubelet stopped posting node status.", "kubernetes-node-not-ready"),
    ("java.lang.OutOfMemoryError: Metaspace", "jvm-metaspace"),
    ("unable to create native thread", "jvm-threads"),
    ("Found one Java-level deadlock:", "jvm-deadlock"),
    ("java.lang.NoSuchMethodError: a.B.c()", "jvm-class-missing"),
    ("[gc] Pause Full (Allocation Failure) 7013.1ms", "jvm-long-pause"),
    ("Cannot allocate memory", "out-of-memory"),
    ("canceling statement due to lock timeout", "postgresql-lock-timeout"),
    ("FATAL:  sorry, too many clients already", "postgresql-connections"),
    ('password authentication failed for user "shop"', "postgresql-auth"),
    ("due to idle-in-transaction timeout", "postgresql-idle-transaction"),
    ("(PID 71) was terminated by signal 9: Killed", "postgresql-crash"),
    ("could not serialize access due to", "postgresql-serialization"),
    ("canceling statement due to statement timeout", "postgresql-statement-timeout"),
    ("canceling statement due to user request", "postgresql-cancelled"),
    ("due to conflict with recovery", "postgresql-recovery-conflict"),
    ('duplicate key value violates unique constraint "a"', "postgresql-unique"),
    ('on table "a" violates foreign key constraint "b"', "postgresql-foreign-key"),
    ("ERROR:  integer out of range", "postgresql-number-exhausted"),
    ('nextval: reached maximum value of sequence "a"', "postgresql-number-exhausted"),
    ("value too long for type character varying(60)", "postgresql-refused-value"),
    ('invalid input syntax for type uuid: "x"', "postgresql-refused-value"),
    ("permission denied for table payments", "postgresql-permission"),
    ('relation "payments" does not exist', "postgresql-schema"),
    ('column "a" of relation "b" does not exist', "postgresql-schema"),
    ("column a.b does not exist", "postgresql-schema"),
    ("function pay(integer, text) does not exist", "postgresql-schema"),
    ("out of shared memory", "postgresql-lock-table"),
    ("temporary file size exceeds temp_file_limit (9kB)", "postgresql-temp-limit"),
    ("cannot execute UPDATE in a read-only transaction", "postgresql-read-only"),
    ("unexpected EOF on client connection", "postgresql-client-gone"),
    ("could not receive data from client: reset", "postgresql-client-gone"),
    ("terminating connection due to administrator command", "postgresql-terminated"),
    ("the database system is starting up", "postgresql-unavailable"),
    ('role "api" does not exist', "postgresql-unknown-login"),
    ('database "shop" does not exist', "postgresql-unknown-login"),
    ("to avoid wraparound data loss in database", "postgresql-wraparound"),
    ("invalid page in block 7 of relation base/1/2", "postgresql-corruption"),
    ("archive command failed with exit code 1", "postgresql-archiving"),
    ("current transaction is aborted, commands ignored", "postgresql-aborted"),
    ("process 71 still waiting for ShareLock on", "postgresql-lock-wait"),
    ("server process (PID <*>) was terminated by signal <*>", "postgresql-crash"),
    ("write: Disk quota exceeded", "no-space"),
    ('too many connections for role "shop"', "postgresql-connections"),
    ("NameNode: MissingBlocks=3", "hdfs-replica-missing"),
    ("Failed to start The Apache HTTP Server.", "systemd-unit-failed"),
    ("Failed to start nginx.service - a web server", "systemd-unit-failed"),
    ("open /etc/shop.key: permission denied", "permission-denied"),
]


USUAL = [
    "SQM: Failed to start upload with file pattern: C:\\Windows\\*.sqm, flags: 0x2",
    "reverse mapping checking for a.b failed - POSSIBLE BREAK-IN ATTEMPT!",
    "NameNode: MissingBlocks=0, CorruptBlocks=0",
    "Corrupt blocks: 0",
    "child process 71 was terminated by signal 15",
    "Accepted publickey for deploy from 10.0.0.9 port 4242 ssh2",
    "Started nginx.service - a web server.",
    "backup.service: Deactivated successfully.",
    "checkpoint complete: wrote 503 buffers (3.1%); 0 WAL file(s) added",
    'automatic vacuum of table "shop.public.items": index scans: 0',
    'automatic aggressive vacuum to prevent wraparound of table "shop.public.a"',
    'execute <unnamed>: DROP TABLE IF EXISTS "old"',
    'table "old" does not exist, skipping',
    'role "old" does not exist, skipping',
    'relation "a" already exists, skipping',
    "ZeroDivisionError: division by zero",
    'role "admin" was created',
    '10.0.0.9 - - "GET /cart?id=503 HTTP/1.1" 200 502 "-" "curl/8.5"',
    '10.0.0.9 - - "GET /500 HTTP/1.1" 404 153',
    "[gc] GC(17) Pause Young (Normal) 3.2ms",
    "Scaled up replica set shop-5d9 to 3",
    "Readiness probe succeeded",
    "Verification succeeded for blk_17",
    "PacketResponder 1 for block blk_17 terminating",
    "oom_score_adj set to 0",
]


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.yml"
    path.write_text(text, "utf-8")
    return path


def test_every_entry_speaks_every_language() -> None:
    catalogue = load_catalogue()
    entries = [*catalogue.patterns.values(), *(r.entry for r in catalogue.rules)]
    assert len(entries) > 15
    for entry in entries:
        assert entry.severity in SEVERITIES
        for language in LANGUAGES:
            told = entry.told_in(language)
            assert told.name
            assert told.advice
            assert told.causes
            assert language in entry.name
            assert language in entry.advice


@pytest.mark.parametrize(("line", "rule"), LINES)
def test_well_known_lines_are_recognised(line: str, rule: str) -> None:
    found = load_catalogue().recognise(["something else", line])
    assert found is not None
    assert found.entry.entry_id == rule


def test_a_session_is_named_by_the_most_severe_of_its_known_lines() -> None:
    waits = "process 71 still waiting for ShareLock on transaction 7 after 200.1 ms"
    victim = "deadlock detected"
    twice = 'duplicate key value violates unique constraint "a"'
    after = "current transaction is aborted, commands ignored until end of transaction"
    catalogue = load_catalogue()
    for lines, rule in (
        ([waits, victim], "postgresql-deadlock"),
        ([victim, waits], "postgresql-deadlock"),
        ([after, twice], "postgresql-unique"),
        ([waits, after], "postgresql-lock-wait"),
    ):
        found = catalogue.recognise(lines)
        assert found is not None
        assert found.entry.entry_id == rule


def test_rules_of_ones_own_come_before_more_severe_ones(tmp_path: Path) -> None:
    own = written(
        tmp_path,
        "rules: {slow-host: {match: slow host, severity: low, name: n, advice: a}}",
    )
    found = load_catalogue(own).recognise(["deadlock detected", "a slow host"])
    assert found is not None
    assert found.entry.entry_id == "slow-host"


def test_joined_rules_find_what_each_alone_would() -> None:
    rules = load_catalogue().rules
    lines = [line for line, _ in LINES]
    both = [f"{a} | {b}" for a, b in zip(lines, lines[7:] + lines[:7], strict=True)]
    for line in [*lines, *both, *(line.upper() for line in lines), "all is well", ""]:
        alone = next((rule for rule in rules if rule.matches(line)), None)
        assert first_match(rules, line) is alone


def test_patterns_that_cannot_be_joined_are_tried_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = tuple(
        rule_from(
            f"r{n}", {"match": f"(?P<a>line {n};)", "name": "n", "advice": "a"}, ""
        )
        for n in range(BLOCK + 2)
    )
    assert first_match(rules, f"line {BLOCK};") is rules[BLOCK]
    monkeypatch.setattr(joined_rules, "_joined", lambda patterns: [None, None])
    assert first_match(rules, f"line {BLOCK};") is rules[BLOCK]
    assert first_match(rules, "none of them") is None


@pytest.mark.parametrize("line", USUAL)
def test_usual_lines_are_taken_for_no_trouble(line: str) -> None:
    assert load_catalogue().recognise([line]) is None


def test_every_rule_has_such_a_line() -> None:
    assert {rule for _, rule in LINES} == {
        rule.entry.entry_id for rule in load_catalogue().rules
    }


def test_a_name_says_what_it_is_about() -> None:
    missing = load_catalogue().patterns["missing-step"]
    assert missing.told_in("en", "BEGIN").name == "missing step after “BEGIN”"
    assert "BEGIN" in missing.told_in("zh", "BEGIN").name


def test_own_rules_come_first_and_own_entries_replace(tmp_path: Path) -> None:
    own = written(
        tmp_path,
        """
patterns:
  repetition: {name: a loop, severity: low, advice: break it}
rules:
  ours: {match: deadlock, name: our deadlock, advice: call Ada}
classes:
  c01: {name: the usual suspect, advice: wait}
""",
    )
    catalogue = load_catalogue(own)
    assert catalogue.patterns["repetition"].told_in("zh").name == "a loop"
    rule = catalogue.recognise(["deadlock detected"])
    assert rule is not None
    assert rule.entry.told_in("en").advice == "call Ada"
    built_in = catalogue.recognise(["No space left on device"])
    assert built_in is not None
    assert catalogue.classes["c01"].name["en"] == "the usual suspect"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("rules: [", "not valid YAML"),
        ("extra: {}", "sections patterns, rules and classes"),
        ("rules: {a: {name: x, advice: y}}", "match is missing"),
        ("rules: {a: {match: '(', name: x, advice: y}}", "does not compile"),
        ("patterns: {a: {advice: y}}", "name is missing"),
        ("patterns: {a: {name: x, advice: y, severity: awful}}", "is none of low"),
        ("patterns: {a: 5}", "expected name, severity"),
        ("classes: {a: {name: x, advice: y, runbook: wiki}}", "runbook is no link"),
        ("classes: {a: {name: x}, a: {name: y}}", "a comes twice"),
        ("classes: {c01: {name: x}}", "c01: advice is missing"),
    ],
)
def test_mistakes_are_told_in_one_line(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(CatalogueError, match=complaint) as caught:
        load_catalogue(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_catalogue_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="check the path"):
        load_catalogue(tmp_path / "none.yml")
