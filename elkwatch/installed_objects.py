"""What was installed into Kibana, remembered beside all other state."""

from __future__ import annotations

from connector import StateConflict, StateStore, Stored
from kibana import InstallRecord

KIND = "installs"
MOST_SPACES = 1000


class ElasticInstallStore:
    """kibana.InstallStore over connector.StateStore: a document a space.

    Raises what the state store raises, StateConflict where two install at once.
    """

    def __init__(self, state: StateStore) -> None:
        self._state = state
        self._known: dict[str, Stored | None] = {}

    def load(self, space: str) -> InstallRecord | None:
        """See InstallStore."""
        stored = self._known[space] = self._state.get(KIND, space)
        return None if stored is None else InstallRecord.of_document(stored.body)

    def save(self, record: InstallRecord) -> None:
        """See InstallStore. Replaces what was loaded or saved last, nothing newer."""
        if record.space not in self._known:
            self.load(record.space)
        body = record.as_document()
        known = self._known[record.space]
        if known is not None:
            self._known[record.space] = self._state.replace(known, body)
            return
        created = self._state.create(KIND, record.space, body)
        if created is None:
            raise StateConflict(
                f"another elkwatch installs into the space {record.space} right now; "
                "wait for it, then try again"
            )
        self._known[record.space] = created

    def spaces(self) -> list[str]:
        """See InstallStore."""
        found = self._state.find(KIND, {}, limit=MOST_SPACES)
        records = [InstallRecord.of_document(stored.body) for stored in found]
        return sorted(record.space for record in records if record.objects)
