"""What can go wrong in elkwatch itself, as one small tree.

    ElkwatchError
     ├─ ConfigError              what the user wrote cannot work        (exit code 2)
     ├─ FileError                a log file cannot be read or written   (exit code 1)
     ├─ FeedbackError            what was said of findings cannot count (exit code 1)
 ├─ LeaseHeldError           another process does the work          (exit code 1)
     └─ DrawingUnavailableError  what draws charts is not installed     (exit code 1)

Each message is one line: what, where, how to mend it. None ever holds a secret.
"""

from __future__ import annotations


class ElkwatchError(Exception):
    """Root of the tree; its text is one line for a person."""

    exit_code: int = 1


class ConfigError(ElkwatchError):
    """The configuration, or what stands for it on the command line, cannot work."""

    exit_code = 2


class FileError(ElkwatchError):
    """A file cannot be read or written."""


class FeedbackError(ElkwatchError):
    """Feedback cannot be given, or taken back, as it was asked."""


class LeaseHeldError(ElkwatchError):
    """Another process does the work on this namespace."""


class DrawingUnavailableError(ElkwatchError):
    """What draws the charts of a page is not installed."""
