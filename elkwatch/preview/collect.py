"""Every panel asked of Elasticsearch and drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from elkwatch.preview.masking import Mask, masked_answer
from kibana import SavedObject
from kibana.preview import (
    Board,
    Drawable,
    LensView,
    Nothing,
    PanelView,
    Period,
    SearchView,
    UndrawableError,
    draw_lens,
    draw_search,
    lens_request,
    read_boards,
    search_request,
)


class Search(Protocol):
    """Asks Elasticsearch: an index pattern and a body → the answer."""

    def __call__(self, index: str, body: Mapping[str, Any]) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class DrawnPanel:
    """A panel and what it shows; none for links and texts, which ask nothing."""

    view: PanelView
    shows: Drawable | None = None


@dataclass(frozen=True, slots=True)
class DrawnBoard:
    """A dashboard with all its panels drawn."""

    board: Board
    panels: tuple[DrawnPanel, ...]


def draw_dashboards(
    objects: Iterable[SavedObject],
    search: Search,
    period: Period,
    mask: Mask = lambda text: text,
) -> tuple[DrawnBoard, ...]:
    """One search a panel; what quotes logs goes through `mask`. Raises what `search`
    does.
    """
    return tuple(
        DrawnBoard(
            board, tuple(_draw(view, search, period, mask) for view in board.panels)
        )
        for board in read_boards(objects)
    )


def _draw(view: PanelView, search: Search, period: Period, mask: Mask) -> DrawnPanel:
    if isinstance(view, LensView):
        try:
            answer = search(view.data_view.pattern, lens_request(view, period))
            told = masked_answer(view, answer, mask)
            return DrawnPanel(view, draw_lens(view, told, period))
        except UndrawableError as error:
            return DrawnPanel(view, Nothing(f"Only Kibana draws this: {error}"))
    if isinstance(view, SearchView):
        answer = search(view.data_view.pattern, search_request(view, period))
        told = masked_answer(view, answer, mask)
        return DrawnPanel(view, draw_search(view, told, period))
    return DrawnPanel(view)
