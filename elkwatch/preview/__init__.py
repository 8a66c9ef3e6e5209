"""The dashboards of Kibana as one HTML page, without Kibana and offline.

    write_preview(file, config, Results(…).search, period, made=clock.now())

kibana.preview says what to ask and what to draw; here it is asked and set on a page.
"""

from elkwatch.preview.collect import DrawnBoard, DrawnPanel, draw_dashboards
from elkwatch.preview.page import PreviewData, build_preview
from elkwatch.preview.write import write_preview

__all__ = [
    "DrawnBoard",
    "DrawnPanel",
    "PreviewData",
    "build_preview",
    "draw_dashboards",
    "write_preview",
]
