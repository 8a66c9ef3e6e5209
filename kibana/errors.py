"""What can go wrong with Kibana, as one small tree.

    KibanaError
     ├─ KibanaConfigError      what the user wrote cannot work          (exit code 2)
     ├─ KibanaUnreachable      nobody answers, or not in time           (recoverable)
     ├─ KibanaTooBusy          429, 502, 503, 504, or still starting    (recoverable)
     ├─ KibanaTlsFailed        certificate, CA, fingerprint
     ├─ KibanaNotAuthenticated wrong or missing key or password (401)
     ├─ KibanaNotAllowed       known, but not allowed to do this (403)
     ├─ KibanaTooOld           a version that our objects do not fit
     ├─ SpaceMissing           there is no such space
     ├─ KibanaRefused          any other answer that is an error, or is no Kibana's
     ├─ ImportFailed           some objects could not be imported: each with its reason
     └─ EditsFound             people's work would be lost: nothing was done

Each message is one line: what, where, how to mend it. None ever holds a secret.
`recoverable` says whether the same call may succeed later without anyone's help.
"""

# ruff: noqa: N818
# The names say what is wrong (SpaceMissing, EditsFound); "Error" would add nothing.

from __future__ import annotations

from collections.abc import Sequence


class KibanaError(Exception):
    """Root of the tree. `recoverable`: the same call may succeed later."""

    recoverable: bool = False
    exit_code: int = 1


class KibanaConfigError(KibanaError):
    """What the user wrote about Kibana cannot work."""

    exit_code = 2


class KibanaUnreachable(KibanaError):
    """Nobody answers at this address, or not in time."""

    recoverable = True


class KibanaTooBusy(KibanaError):
    """Kibana answered that it cannot now: 429, 502, 503, 504, or it still starts."""

    recoverable = True


class KibanaTlsFailed(KibanaError):
    """The TLS handshake failed: certificate, CA or fingerprint."""


class KibanaNotAuthenticated(KibanaError):
    """The API key or password was refused, or none was given (401)."""


class KibanaNotAllowed(KibanaError):
    """The credentials are known but not allowed to do this (403)."""


class KibanaTooOld(KibanaError):
    """A version of Kibana that does not know our objects."""


class SpaceMissing(KibanaError):
    """There is no such space (`gone`), or these credentials may not use it."""

    def __init__(self, message: str, *, gone: bool = False) -> None:
        super().__init__(message)
        self.gone = gone


class KibanaRefused(KibanaError):
    """Any other answer that is an error; `status` is its HTTP status."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class ImportFailed(KibanaError):
    """Kibana imported some objects or none; `problems` has one line for each."""

    def __init__(self, message: str, *, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class EditsFound(KibanaError):
    """People's work would be lost; `objects` has one line for each object."""

    def __init__(self, message: str, *, objects: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.objects = tuple(objects)
