"""The dashboards drawn without Kibana, from the very objects that Kibana imports.

saved objects ─▶ boards ─▶ requests ─▶ (whoever asks Elasticsearch) ─▶ answers ─▶ rows
rows ─▶ a figure, a table, or a chart as a Vega-Lite specification
"""

from kibana.preview.boards import (
    Board,
    LensView,
    LinksView,
    PanelView,
    SearchView,
    TextView,
    read_boards,
)
from kibana.preview.charts import Key, Legend, Spec
from kibana.preview.drawables import (
    Drawable,
    Figure,
    Nothing,
    Picture,
    Sheet,
    draw_lens,
    draw_search,
)
from kibana.preview.requests import (
    Period,
    UndrawableError,
    count_request,
    lens_request,
    search_request,
)
from kibana.preview.values import Cell

__all__ = [
    "Board",
    "Cell",
    "Drawable",
    "Figure",
    "Key",
    "Legend",
    "LensView",
    "LinksView",
    "Nothing",
    "PanelView",
    "Period",
    "Picture",
    "SearchView",
    "Sheet",
    "Spec",
    "TextView",
    "UndrawableError",
    "count_request",
    "draw_lens",
    "draw_search",
    "lens_request",
    "read_boards",
    "search_request",
]
