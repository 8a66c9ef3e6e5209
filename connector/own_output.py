"""What elkwatch writes is never read as a source.

It is kept out twice: by name, so that no read privilege is needed for it and no PIT is
held on it, and by a filter on `_index`, which also sees through aliases.
"""

from typing import Any

from connector.errors import OwnOutputRefused

OWN_PREFIXES = ("logs-elkwatch.", "metrics-elkwatch.", "elkwatch-")

_STREAM_PREFIXES = tuple(
    f".ds-{prefix}" for prefix in OWN_PREFIXES if not prefix.endswith("-")
)
_EXCLUSIONS = tuple(f"-{prefix}*" for prefix in (*OWN_PREFIXES, *_STREAM_PREFIXES))


def guarded_pattern(pattern: str, source: str) -> str:
    """The index pattern with elkwatch's own output taken out.

    Raises OwnOutputRefused for a pattern that names nothing else.
    """
    parts = [part.strip() for part in pattern.split(",") if part.strip()]
    for part in parts:
        name = part.rpartition(":")[2].removeprefix(".ds-")
        if not part.startswith("-") and name.startswith(OWN_PREFIXES):
            raise OwnOutputRefused(
                f"source {source}: {part} is what elkwatch itself writes; name the "
                "index of your logs"
            )
    if any("*" in part for part in parts):
        parts.extend(_EXCLUSIONS)
    return ",".join(parts)


def own_output_clauses() -> list[dict[str, Any]]:
    """Clauses for `must_not` that match every document of ours, under any alias."""
    prefixes = (*OWN_PREFIXES, *_STREAM_PREFIXES)
    return [{"prefix": {"_index": prefix}} for prefix in prefixes]
