"""What can go wrong in alerting, as one small tree.

    AlertingError
    ├── AlertingConfigError   a setting is wrong: one line that says how to mend it
    ├── StateConflict         somebody else wrote the document first (compare-and-swap)
    ├── StoreBusy             conflicts went on for longer than we retry
    ├── RowError              a row that cannot be replayed (unknown, not dead)
    ├── MessageError          a message file that cannot be rendered
    └── DeliveryError         one attempt at one channel failed; says whether to retry

A ``DeliveryError`` is *data*: the outbox turns it into a retry or a dead row with a
reason. Reasons are shown to people and stored, so no error here ever carries a
password, a signing secret or the path and query of a webhook address.
"""

from __future__ import annotations


class AlertingError(Exception):
    """Base of all errors of this package."""


class AlertingConfigError(AlertingError):
    """A channel or policy setting that cannot work; one line, no secrets."""


class StateConflict(AlertingError):  # noqa: N818  the same word as the store's own
    """A replace whose document somebody else wrote in the meantime."""


class StoreBusy(AlertingError):  # noqa: N818  a state, like the one above
    """A document changed under us more often than we are willing to retry."""


class RowError(AlertingError):
    """An outbox row that is unknown, or not in a state that can be replayed."""


class MessageError(AlertingError):
    """A message file that is missing, broken, unsafe or too large."""


class DeliveryError(Exception):
    """One attempt to deliver failed.

    recoverable: try again later under the same id; else the row is dead.
    retry_after_s: what the receiver asked for, in seconds, if it asked.
    remaining: recipients still owed when others accepted (email); empty = all of them.
    """

    def __init__(
        self,
        reason: str,
        *,
        recoverable: bool,
        retry_after_s: float | None = None,
        remaining: tuple[str, ...] = (),
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.recoverable = recoverable
        self.retry_after_s = retry_after_s
        self.remaining = remaining
