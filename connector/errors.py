"""Everything the connector can fail with, as one small tree.

    ConnectorError
     ├─ ConfigError            what the user wrote cannot work (pattern, host, CA file)
     ├─ EngineError            Elasticsearch could not be used at all
     │   ├─ EngineUnreachable      nobody answers                       (recoverable)
     │   ├─ EngineTooBusy          429, 502, 503, 504                   (recoverable)
     │   ├─ TlsFailed              certificate, CA, fingerprint, http against https
     │   ├─ NotAuthenticated       wrong or missing key or password
     │   ├─ PrivilegeMissing       known, but not allowed: which action, what grants it
     │   ├─ EngineTooOld           a version we do not work with
     │   └─ RequestRefused         any other answer that is an error
     ├─ SourceError            the logs cannot be read
     │   ├─ OwnOutputRefused       the pattern names what elkwatch writes
     │   ├─ IndexMissing           the pattern matches nothing
     │   ├─ FieldMissing           a field of the source is mapped nowhere
     │   ├─ FieldUnfit             a field is there, with a type that cannot serve
     │   ├─ PartialResults         a shard did not answer               (recoverable)
     │   └─ SourceUnavailable      retries are used up                  (recoverable)
     ├─ SinkError              findings cannot be written
     │   ├─ IndexBlocked           an index is closed for writing
     │   └─ SinkUnavailable        retries are used up                  (recoverable)
     ├─ StateConflict          somebody else wrote this document meanwhile
     ├─ LeaseLost              another process took over: write nothing more
     ├─ StateUnavailable       retries are used up                      (recoverable)
     ├─ SetupMissing           index templates are not installed
     └─ DecodeError            one document cannot be used (data, not failure)
         └─ UndatedDocument        it cannot be placed in time

Each message is one line: what, where, how to mend it. None ever holds a secret.
`recoverable` says whether the same call may succeed later without anyone's help.
"""

# ruff: noqa: N818
# The names say what is wrong (StateConflict, TlsFailed); "Error" would add nothing.

from collections.abc import Sequence


class ConnectorError(Exception):
    """Root of the tree. `recoverable`: the same call may succeed later."""

    recoverable: bool = False

    @property
    def reason(self) -> str:
        """The one line for the user."""
        return str(self)


class ConfigError(ConnectorError):
    """What the user wrote cannot work."""


class EngineError(ConnectorError):
    """Elasticsearch could not be used."""


class EngineUnreachable(EngineError):
    """Nobody answers at this address, or not in time."""

    recoverable = True


class EngineTooBusy(EngineError):
    """Elasticsearch answered that it cannot now: 429, 502, 503 or 504."""

    recoverable = True


class TlsFailed(EngineError):
    """The TLS handshake failed: certificate, CA, fingerprint or scheme."""


class NotAuthenticated(EngineError):
    """The API key or password was refused (401)."""


class PrivilegeMissing(EngineError):
    """The credentials are known but not allowed to do this (403).

    `action` is Elasticsearch's name of what was refused, `indices` what it was refused
    on (empty for cluster actions), `granted_by` the privileges that would allow it.
    """

    def __init__(
        self,
        message: str,
        *,
        action: str = "",
        indices: Sequence[str] = (),
        granted_by: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.action = action
        self.indices = tuple(indices)
        self.granted_by = tuple(granted_by)


class EngineTooOld(EngineError):
    """A version of Elasticsearch that elkwatch does not work with."""


class RequestRefused(EngineError):
    """Any other answer that is an error; `status` is its HTTP status."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class SourceError(ConnectorError):
    """The logs of a source cannot be read."""


class OwnOutputRefused(SourceError):
    """A source names an index that elkwatch itself writes."""


class IndexMissing(SourceError):
    """The index pattern of a source matches nothing."""


class FieldMissing(SourceError):
    """A field the source needs is mapped nowhere; `fields` names every one."""

    def __init__(self, message: str, *, fields: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.fields = tuple(fields)


class FieldUnfit(SourceError):
    """A field is mapped with a type that cannot serve its purpose."""


class PartialResults(SourceError):
    """A shard did not answer, so documents may be missing: never advance."""

    recoverable = True


class SourceUnavailable(SourceError):
    """Reading was retried until the attempts were used up."""

    recoverable = True


class SinkError(ConnectorError):
    """Results cannot be written."""


class IndexBlocked(SinkError):
    """An index or the cluster is closed for writing, e.g. because the disk is full."""


class SinkUnavailable(SinkError):
    """Writing was retried until the attempts were used up."""

    recoverable = True


class StateConflict(ConnectorError):
    """Somebody else wrote the document since it was read."""


class LeaseLost(ConnectorError):
    """Another process does the work now; whoever is told this writes nothing more."""


class StateUnavailable(ConnectorError):
    """Reading or writing state was retried until the attempts were used up."""

    recoverable = True


class SetupMissing(ConnectorError):
    """What `elkwatch setup` installs is not there."""


class DecodeError(ConnectorError):
    """One document cannot be used; the others go on."""


class UndatedDocument(DecodeError):
    """A document has no time, or one that cannot be read."""
