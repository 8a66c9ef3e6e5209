"""From a document as it was shipped to a LogDocument.

    source ──message_field, body.text, event.original──▶ text (≤ 32 kB, valid Unicode)
           ──time_field──▶ UTC time
           ──session rule──▶ key
           ──severity, service, host, sequence──▶ as text, as text, as text, as int

What is odd is handled and counted; only a document without a readable time is left
out, and reported. The same decoder serves documents out of Elasticsearch and plain
dictionaries out of a file. It runs once for every line of log, so whatever can be
decided once is decided at construction.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connector.columns import (
    Column,
    Columns,
    all_texts,
    known_times,
    labels,
    numbers,
    plain_texts,
    times,
)
from connector.decoded_fields import (
    INGESTED_FIELD,
    FieldGetters,
    fields_at_once,
    needed_fields,
)
from connector.errors import UndatedDocument
from connector.fieldpaths import compile_path
from connector.hits import Hit, document_type, plain_document
from connector.records import DecodeCounts, DecodeProblem, LogDocument, SourceSpec
from connector.sessionkeys import MAX_KEY_CHARS
from connector.texts import (
    MAX_LABEL_CHARS,
    MAX_TEXT_BYTES,
    as_int,
    as_label,
    clean_text,
    document_text,
    plain,
)
from connector.timestamps import read_time

MAX_LABELS = 10_000
_ALWAYS_ASCII_UNTIL = MAX_TEXT_BYTES // 4

CursorTimes = Callable[[Sequence[Hit[Any]]], Sequence[datetime | None]]


class Decoder:
    """Decodes the documents of one source. `counts` adds up what was odd.

    Raises ConfigError at construction for a session pattern that does not compile.
    """

    def __init__(self, spec: SourceSpec) -> None:
        self.spec = spec
        self.counts = DecodeCounts()
        self.document_type = document_type((*needed_fields(spec), INGESTED_FIELD))
        self._plain = self._typed = FieldGetters.of(spec, compile_path)
        if self.document_type is not None:
            self._typed = FieldGetters.of(spec, self.document_type.compile)
            self._columns = Columns(
                list(map(self.document_type.ways, fields_at_once(spec)))
            )
        self._labels: dict[str, str] = {}

    def decode(
        self,
        source: Any,
        *,
        doc_id: str = "",
        index: str = "",
        cursor_time: datetime | None = None,
    ) -> LogDocument:
        """The record of one document: a dictionary, or one of `document_type`.

        `cursor_time` defaults to its own time.

        Raises UndatedDocument where the time field is absent or unreadable.
        """
        counts = self.counts
        counts.documents += 1
        fields = self._fields_of(source)
        stamp = fields.time(source)
        try:
            time = read_time(stamp)
        except ValueError as error:
            counts.bad_time += 1
            raise UndatedDocument(self._undated(stamp, error)) from None
        message = fields.message(source)
        if type(message) is not str:
            if message is None:
                message = fields.other_message(source)
            message = self._as_text(message)
        message = self._valid(message)
        if not message:
            counts.missing_text += 1
        key = fields.key(source, message)
        if key is None:
            counts.no_key += 1
        sequence = fields.sequence(source)
        if sequence is not None and type(sequence) is not int:
            sequence = as_int(sequence)
        return LogDocument(
            doc_id,
            index,
            time,
            message,
            key,
            self._label(fields.severity(source)),
            self._label(fields.service(source)),
            self._label(fields.host(source)),
            sequence,
            time if cursor_time is None else cursor_time,
        )

    def decode_many(
        self, hits: Iterable[Mapping[str, Any]]
    ) -> tuple[list[LogDocument], list[DecodeProblem]]:
        """The records of search hits (`_id`, `_index`, `_source`), in order.

        A hit may carry `cursor_time` (a datetime) beside; those that cannot be used
        come back as problems.
        """
        return self._decode_each(
            (h["_source"], h.get("_id", ""), h.get("_index", ""), h.get("cursor_time"))
            for h in hits
        )

    def decode_hits(
        self,
        hits: Iterable[Hit[Any]],
        cursor_times: CursorTimes,
        *,
        by_time: bool = False,
    ) -> tuple[list[LogDocument], list[DecodeProblem]]:
        """The same of hits as records; `cursor_times` says where they stand.

        `by_time`: that is their own time, in whole milliseconds.
        """
        hits = list(hits)
        places = cursor_times(hits)
        documents = self._decode_columns(hits, places, by_time=by_time)
        if documents is not None:
            return documents, []
        return self._decode_each(
            (hit.source, hit.id, hit.index, place)
            for hit, place in zip(hits, places, strict=True)
        )

    def _decode_columns(
        self,
        hits: Sequence[Hit[Any]],
        places: Sequence[datetime | None],
        *,
        by_time: bool,
    ) -> list[LogDocument] | None:
        """The same for a page at once; None where that is not possible."""
        sources = [hit.source for hit in hits]
        kinds = set(map(type, sources))
        if self.document_type is None or kinds != {self.document_type.kind}:
            return None
        columns = self._columns.of(sources)
        if columns is None:
            return None
        stamps, messages, severities, services, hosts, sequences, *keys = columns
        known = known_times(stamps, places) if by_time else times(stamps)
        if known is None or not all_texts(messages):
            return None
        if not plain_texts(messages, _ALWAYS_ASCII_UNTIL):
            messages = list(map(self._valid, messages))
        keyed = self._keys(sources, messages, keys)
        self.counts.documents += len(hits)
        self.counts.missing_text += messages.count("")
        self.counts.no_key += keyed.count(None)
        if None in places:
            pairs = zip(known, places, strict=True)
            places = [time if place is None else place for time, place in pairs]
        return list(
            map(
                LogDocument,
                [hit.id for hit in hits],
                [hit.index for hit in hits],
                known,
                messages,
                keyed,
                labels(severities, self._label),
                labels(services, self._label),
                labels(hosts, self._label),
                numbers(sequences),
                places,
            )
        )

    def _keys(
        self, sources: Sequence[Any], messages: Column, keys: Sequence[Column]
    ) -> Column:
        """The session keys of a page, `keys`: of the field that holds them, if one."""
        if keys and plain_texts(keys[0], MAX_KEY_CHARS) and "" not in keys[0]:
            return keys[0]
        return list(map(self._typed.key, sources, messages))

    def _valid(self, message: str) -> str:
        """A text, cut and repaired."""
        if len(message) > _ALWAYS_ASCII_UNTIL:
            message = self._shortened(message)
        if not message.isascii() or "\0" in message:
            message = self._repaired(message)
        return message

    def message_of(self, source: Any) -> Any:
        """What stands in the message field of a document, uncut."""
        return self._fields_of(source).message(source)

    def _fields_of(self, source: Any) -> FieldGetters:
        of = self.document_type
        typed = of is not None and type(source) is of.kind
        return self._typed if typed else self._plain

    def _decode_each(
        self, given: Iterable[tuple[Any, str, str, datetime | None]]
    ) -> tuple[list[LogDocument], list[DecodeProblem]]:
        documents: list[LogDocument] = []
        problems: list[DecodeProblem] = []
        decode = self.decode
        for source, doc_id, index, cursor_time in given:
            try:
                documents.append(
                    decode(source, doc_id=doc_id, index=index, cursor_time=cursor_time)
                )
            except UndatedDocument as error:
                text = document_text(plain_document(source))
                problems.append(DecodeProblem(doc_id, index, str(error), text))
        return documents, problems

    def _undated(self, stamp: Any, error: ValueError) -> str:
        field = self.spec.time_field
        if stamp is None:
            return f"no {field}: name the field with the time as time_field"
        return f"{field}: {error}"

    def _label(self, value: Any) -> str | None:
        """A value that recurs in thousands of documents, made once."""
        if value is None:
            return None
        if type(value) is not str:
            return as_label(value)
        label = self._labels.get(value)
        if label is None:
            label = as_label(value)
            short = len(value) <= MAX_LABEL_CHARS
            if short and label is not None and len(self._labels) < MAX_LABELS:
                self._labels[value] = label
        return label

    def _as_text(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
            if isinstance(value, str):
                return value
        if value is None or value == [] or value == {}:
            return ""
        self.counts.not_text += 1
        if isinstance(value, list):
            return "\n".join(plain(item) for item in value if item is not None)
        return plain(value)

    def _shortened(self, text: str) -> str:
        data = text.encode("utf-8", "surrogatepass")
        if len(data) <= MAX_TEXT_BYTES:
            return text
        self.counts.truncated += 1
        cut = data[:MAX_TEXT_BYTES]
        # A character cut in two at the end is dropped, not replaced.
        while cut and data[len(cut)] & 0xC0 == 0x80:
            cut = cut[:-1]
        return cut.decode("utf-8", "surrogatepass")

    def _repaired(self, text: str) -> str:
        clean = clean_text(text)
        if clean is not text:
            self.counts.bad_unicode += 1
        return clean
