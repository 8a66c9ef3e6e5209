"""The key of the placeholders' digests, the same in every run of one namespace.

It is kept among elkwatch's own state, which only the service may read: so a finding
that is written again after a restart says the same, and still nobody who reads findings
can try out values.
"""

from __future__ import annotations

import secrets
from typing import Any

from connector import SetupMissing, StateStore
from elkwatch.clock import Clock
from elkwatch.errors import ElkwatchError

KIND = "masks"
_DOC_ID = "key"
_KEY_BYTES = 16


def stored_key(state: StateStore, clock: Clock) -> bytes:
    """The key of this namespace, made where there is none.

    Two processes that begin at once get the same. Raises what the store raises,
    SetupMissing where nothing can be kept, ElkwatchError for what is no key.
    """
    stored = state.get(KIND, _DOC_ID)
    if stored is None:
        body = {
            "created_at": clock.now().isoformat(),
            "payload": {"key": secrets.token_hex(_KEY_BYTES)},
        }
        stored = state.create(KIND, _DOC_ID, body) or state.get(KIND, _DOC_ID)
    if stored is None:
        raise SetupMissing(
            "the key of the masks cannot be kept; run `elkwatch setup` once, and try "
            "again"
        )
    return _key(stored.body)


def _key(body: Any) -> bytes:
    try:
        key = bytes.fromhex(body["payload"]["key"])
    except (KeyError, TypeError, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise ElkwatchError(
            "the key of the masks cannot be read; delete the document `key` of "
            "elkwatch-masks-<namespace>: a new one is made"
        )
    return key
