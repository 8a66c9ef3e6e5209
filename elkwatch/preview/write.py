"""From a configuration and a period to the file with the page."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from connector import run_stream_name, stream_name
from elkwatch.config import Config
from elkwatch.kibana_objects import kibana_objects
from elkwatch.preview.collect import Search, draw_dashboards
from elkwatch.preview.page import PreviewData, build_preview
from elkwatch.privacy import Masker
from elkwatch.result_files import open_text_result
from kibana.ids import OPEN
from kibana.preview import Period, count_request


def write_preview(
    file: Path,
    config: Config,
    search: Search,
    period: Period,
    *,
    made: datetime,
    engine: str = "",
) -> PreviewData:
    """Asks, draws and writes; → what the page shows.

    Raises what `search` does, DrawingUnavailableError, FileError.
    """

    def count(index: str, query: str) -> int:
        answer = search(index, count_request(query, period))
        return int(answer["hits"]["total"]["value"])

    with open_text_result(file) as stream:
        data = PreviewData(
            draw_dashboards(
                kibana_objects(config), search, period, Masker(config.privacy.mask)
            ),
            period,
            made,
            findings=count(stream_name(config.namespace), OPEN),
            runs=count(run_stream_name(config.namespace), 'event.action : "source"'),
            engine=engine,
            namespace=config.namespace,
        )
        stream.write(build_preview(data))
    return data
