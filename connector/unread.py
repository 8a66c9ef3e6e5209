"""An answer that came and is yet to be read: enough is known to ask for the next.

    bytes ─▶ Unread ─▶ point in time, last sort values ─▶ the next page is asked for
                   └─▶ read, while the engine works on that

Reading a page takes about a tenth of the time in which it is made; whoever reads first
and asks then lets the engine wait so long, at every page.
"""

import re
from typing import Any

import msgspec

from connector.hits import Answer, Reader, answer_of, plain_json

_BEGIN = re.compile(rb'\{"pit_id":"([^"\\]+)"')
_SORT = b'"sort":['


class Unread:
    """The bytes of an answer to a search over a point in time."""

    def __init__(self, data: bytes, pit_id: str) -> None:
        self._data = data
        self.pit_id = pit_id

    def __len__(self) -> int:
        """Its bytes."""
        return len(self._data)

    @property
    def documents(self) -> int:
        """How many documents are in it; more, where one has a list named `sort`."""
        return self._data.count(_SORT)

    def last_sort(self) -> list[Any] | None:
        """The sort values of the last hit; None where there is none.

        Without reading it, so None, or else another document's, is no proof: compare.
        No text holds the name of the values, since quotes in a text are escaped.
        """
        at = self._data.rfind(_SORT) + len(_SORT) - 1
        if at < len(_SORT):
            return None
        try:
            found: list[Any] = msgspec.json.decode(
                self._data[at : self._data.index(b"]", at) + 1], type=list[Any]
            )
        except (msgspec.DecodeError, ValueError):
            return None
        return found

    def read(self, reader: Reader | None) -> Answer[Any]:
        """The whole answer, by the reader or, where that cannot, as usual."""
        if reader is not None:
            try:
                return answer_of(reader(self._data))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                pass
        return answer_of(plain_json(self._data))


def unread(data: bytes) -> Unread | None:
    """The answer as it came; None where it is none of a search over a point in time."""
    begin = _BEGIN.match(data)
    return None if begin is None else Unread(data, begin[1].decode("ascii", "replace"))
