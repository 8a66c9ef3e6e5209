"""Which fields of a document a decoder looks at, and how it gets them.

SourceSpec ─▶ paths, with those that stand in for one ─▶ getters, a document or page
"""

from dataclasses import dataclass

from connector.fieldpaths import Compiler, Getter, first_of
from connector.records import SourceSpec
from connector.sessionkeys import KeyReader, key_reader

MESSAGE_FALLBACKS = ("message", "body.text", "event.original")
INGESTED_FIELD = "event.ingested"
SEQUENCE_FALLBACKS = ("event.sequence", "log.offset")


@dataclass(frozen=True, slots=True)
class FieldGetters:
    """What is got of a document, as its paths were compiled for its type."""

    message: Getter
    other_message: Getter
    time: Getter
    severity: Getter
    service: Getter
    host: Getter
    sequence: Getter
    key: KeyReader

    @classmethod
    def of(cls, spec: SourceSpec, compiled: Compiler) -> "FieldGetters":
        """For documents whose paths `compiled` compiles."""
        return cls(
            message=compiled(spec.message_field),
            other_message=first_of(MESSAGE_FALLBACKS, compiled),
            time=compiled(spec.time_field),
            severity=compiled(spec.severity_field),
            service=compiled(spec.service_field),
            host=compiled(spec.host_field),
            sequence=first_of(sequence_paths(spec), compiled),
            key=key_reader(spec, compiled),
        )


def fields_at_once(spec: SourceSpec) -> list[tuple[str, ...]]:
    """The fields of a record, each with the paths that may hold it."""
    key = (spec.session.field,) if spec.session.field else ()
    return [
        (spec.time_field,),
        (spec.message_field,),
        (spec.severity_field,),
        (spec.service_field,),
        (spec.host_field,),
        sequence_paths(spec),
        *([key] if key else []),
    ]


def sequence_paths(spec: SourceSpec) -> tuple[str, ...]:
    """The fields that order documents of equal time, the best first."""
    if spec.sequence_field:
        return (spec.sequence_field,)
    return SEQUENCE_FALLBACKS


def needed_fields(spec: SourceSpec) -> tuple[str, ...]:
    """Every field a decoder of this source looks at, each once."""
    return tuple(
        dict.fromkeys(
            (
                spec.time_field,
                spec.message_field,
                *MESSAGE_FALLBACKS,
                spec.severity_field,
                spec.service_field,
                spec.host_field,
                *sequence_paths(spec),
                *spec.key_fields,
            )
        )
    )
