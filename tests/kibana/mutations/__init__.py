"""Ways to break the built file, each one a trap that Kibana's import does not see.

python -m tests.kibana.mutations    how many of them the checker finds, and a blind
                                    round: every single key and item left out in turn
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kibana import Defect
from tests.kibana.built import Built, defects_of, leaves, without
from tests.kibana.mutations.controls import CONTROLS
from tests.kibana.mutations.dashboards import DASHBOARDS
from tests.kibana.mutations.files import FILES
from tests.kibana.mutations.lens_charts import LENS_CHARTS
from tests.kibana.mutations.lens_columns import LENS_COLUMNS
from tests.kibana.mutations.lens_panels import LENS_PANELS
from tests.kibana.mutations.places import Mutations
from tests.kibana.mutations.views import VIEWS

SUBJECTS = {
    "the file and its objects": FILES,
    "data views and saved searches": VIEWS,
    "dashboards, links, texts, drilldowns": DASHBOARDS,
    "controls": CONTROLS,
    "Lens: panels and layers": LENS_PANELS,
    "Lens: columns and formulas": LENS_COLUMNS,
    "Lens: charts": LENS_CHARTS,
}
MUTATIONS: Mutations = {
    name: mutation
    for mutations in SUBJECTS.values()
    for name, mutation in mutations.items()
}


def broken(name: str) -> tuple[str, list[Defect]]:
    """The phrase that must be told of this mutation, and what the checker finds."""
    phrase, change = MUTATIONS[name]
    built = Built()
    change(built)
    return phrase, defects_of(built)


def is_found(name: str) -> bool:
    """Whether the checker tells of this mutation by its phrase."""
    phrase, defects = broken(name)
    return any(phrase in str(defect) for defect in defects)


def unnoticed() -> Iterator[tuple[Any, ...]]:
    """Every key and item that can be left out without a defect."""
    for path in leaves(Built().objects):
        built = Built()
        without(path)(built)
        if not defects_of(built):
            yield path
