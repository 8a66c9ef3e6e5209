"""When the certificate of a server ends, and whether it needs one."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from datetime import UTC, datetime


def expiry(host: str, port: int, timeout_s: float) -> datetime:
    """The end of the certificate that a server shows, whoever signed it; UTC.

    Whether it is to be trusted is not decided here: that is the client's affair. Raises
    OSError where there is no handshake, ValueError for a date that cannot be read.
    """
    shown = ssl.get_server_certificate((host, port), timeout=timeout_s)
    # Python tells the contents of a certificate only if it is verified: so this
    # connection trusts the very certificate that was shown, and nothing else.
    context = ssl.create_default_context(cadata=shown)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        with (
            socket.create_connection((host, port), timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            told = secured.getpeercert()
    except ssl.SSLCertVerificationError as error:
        if "expired" in error.verify_message:
            raise ValueError("it has expired") from error
        raise
    if not told or "notAfter" not in told:
        raise ValueError("it does not say when it ends")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told["notAfter"])), UTC)


def is_loopback(host: str) -> bool:
    """Whether a connection to this host stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
