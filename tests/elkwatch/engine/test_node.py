"""Why a node did not come up, by its log."""

from __future__ import annotations

import pytest

from elkwatch.engine.node import cause_in


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        (
            "[2026-01-01T00:00:00,000][ERROR][o.e.b.Elasticsearch] fatal exception\n"
            "java.lang.IllegalStateException: failed to obtain node locks\n"
            "\tat org.elasticsearch.env.NodeEnvironment.<init>(Node.java:1)\n"
            "Caused by: java.io.IOException: failed to lock\n"
            "Caused by: org.apache.lucene.store.LockObtainFailedException: "
            "Lock held by another program: /d/node.lock\n"
            "\tSuppressed: java.lang.RuntimeException: a consequence\n"
            "ERROR: Elasticsearch died while starting up, with exit code 1\n",
            "Lock held by another program: /d/node.lock "
            "(another engine uses this data directory)",
        ),
        (
            "Error: Could not create the Java Virtual Machine.\n",
            "Could not create the Java Virtual Machine.",
        ),
        (
            "[2026-01-01T00:00:00,000][WARN ][o.e.x] the last thing said\n\n",
            "the last thing said",
        ),
        ("", None),
    ],
)
def test_a_log_names_the_innermost_cause(log: str, cause: str | None) -> None:
    assert cause_in(log) == cause
