"""The dashboards of the demo: built and checked as for Kibana, drawn without it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from elasticsearch import Elasticsearch

from connector import Results
from elkwatch.config import Config
from elkwatch.errors import DrawingUnavailableError
from elkwatch.kibana_objects import kibana_objects, known_fields
from elkwatch.preview import write_preview
from kibana import check_text, ndjson
from kibana.preview import Period


def build_and_check(file: Path, config: Config) -> tuple[int, list[str]]:
    """Writes the file that Kibana imports; → how many objects, and their defects."""
    objects = kibana_objects(config)
    text = ndjson(objects)
    file.write_text(text, "utf-8")
    return len(objects), [str(d) for d in check_text(text, known_fields())]


def draw(
    file: Path,
    config: Config,
    client: Elasticsearch,
    start: datetime,
    end: datetime,
    *,
    engine: str,
) -> str | None:
    """Draws the page of [start, end]; → why it cannot be drawn here, None if it is."""
    search = Results(client, config.namespace).search
    period = Period(start, end, config.alerting.zone)
    try:
        write_preview(file, config, search, period, made=end, engine=engine)
    except DrawingUnavailableError as error:
        return str(error)
    return None
