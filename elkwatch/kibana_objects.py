"""From the configuration to what is put into Kibana, and what its fields are."""

from __future__ import annotations

from connector import templates
from elkwatch.config import Config
from elkwatch.reference.fields import mapped_fields
from kibana import BuildWishes, FieldMap, SavedObject, SourceView, build_objects


def kibana_objects(config: Config | None) -> tuple[SavedObject, ...]:
    """The objects for a configuration; without one, for every namespace."""
    if config is None:
        return build_objects()
    sources = tuple(SourceView(s.name, s.index, s.time_field) for s in config.sources)
    return build_objects(BuildWishes(config.namespace, sources))


def known_fields() -> FieldMap:
    """Index pattern → field → type of what elkwatch writes, by its index templates."""
    return {
        pattern: {field.path: field.type for field in mapped_fields(template)}
        for template in templates().values()
        for pattern in template["index_patterns"]
    }
