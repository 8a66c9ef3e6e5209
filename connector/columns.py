"""A page decoded field by field: the same records, made of columns.

    sources ──one getter──▶ columns ──each as a whole──▶ records

Where all values of a column are what they usually are (texts in ASCII, whole numbers),
that is found out once for the page, and nothing is called for each document. Anything
else in a column is left to what reads a single value.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import repeat
from operator import attrgetter
from typing import Any

from connector.texts import as_int
from connector.timestamps import read_time

Column = Sequence[Any]


class Columns:
    """Gets several fields of documents at once, each by the first way that has it.

    `ways`: for each field the members of the documents' type that may hold it, the
    first that is not None counts.
    """

    def __init__(self, ways: Sequence[Sequence[str]]) -> None:
        self._get = attrgetter(*(one for several in ways for one in several))
        self._counts = [len(several) for several in ways]

    def of(self, sources: Iterable[Any]) -> list[Column] | None:
        """One column a field; None where a document is of another shape."""
        try:
            columns = list(zip(*map(self._get, sources), strict=True))
        except AttributeError:
            return None
        found, at = [], 0
        for count in self._counts:
            found.append(_first(columns[at : at + count]))
            at += count
        return found


def _first(columns: Sequence[Column]) -> Column:
    """Of several columns the first value of each row that is not None."""
    size = len(columns[0])
    result = columns[0]
    for other in columns[1:]:
        missing = result.count(None)
        if missing == 0:
            break
        if missing == size:
            result = other
        elif other.count(None) < size:
            pairs = zip(result, other, strict=True)
            result = [a if a is not None else b for a, b in pairs]
    return result


def all_texts(column: Column) -> bool:
    """Whether all are texts."""
    return set(map(type, column)) <= {str}


def plain_texts(column: Column, most_chars: int) -> bool:
    """Whether all are texts in ASCII, without NUL, and of at most so many characters.

    Nothing in them needs to be repaired, nor cut.
    """
    if not all_texts(column):
        return False
    together = "".join(column)
    return (
        together.isascii()
        and "\0" not in together
        and max(map(len, column), default=0) <= most_chars
    )


def times(column: Column) -> list[datetime] | None:
    """Times as UTC; None where one cannot be read."""
    try:
        return list(map(read_time, column))
    except ValueError:
        return None


def numbers(column: Column) -> Column:
    """Whole numbers; None where there is none."""
    if set(map(type, column)) <= {int, type(None)}:
        return column
    return [as_int(value) for value in column]


def labels(column: Column, label: Callable[[Any], str | None]) -> Iterable[str | None]:
    """Values that recur, each made a label once where they are texts."""
    kinds = set(map(type, column))
    if kinds == {type(None)}:
        return repeat(None, len(column))
    if kinds <= {str, type(None)}:
        made = {value: label(value) for value in set(column)}
        return map(made.__getitem__, column)
    return map(label, column)
