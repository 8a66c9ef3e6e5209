"""What can go wrong with the demo's own parts."""

from __future__ import annotations

from elkwatch.errors import ElkwatchError


class SinkError(ElkwatchError):
    """A sink cannot listen."""
