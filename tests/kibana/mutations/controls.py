"""The controls above a dashboard."""

from __future__ import annotations

from typing import Any

from tests.kibana.built import Built
from tests.kibana.mutations.places import Mutations, control, group, rename

CONTROLS: Mutations = {
    "a control under another key": (
        "explicitInput.id",
        lambda b: control(b)["explicitInput"].update(id="klass"),
    ),
    "a control whose data view is missing": (
        "no reference named controlGroup_class",
        lambda b: b.overview["references"].remove(
            b.reference("elkwatch-overview", "controlGroup_class:optionsListDataView")
        ),
    ),
    "a control of a text field": (
        "is no keyword",
        lambda b: control(b)["explicitInput"].update(fieldName="message"),
    ),
    "a newer key of the control group": (
        "unknown to 8.12",
        lambda b: b.overview["attributes"]["controlGroupInput"].update(
            showApplySelections=True
        ),
    ),
    "two controls in one place": (
        "order of the controls",
        lambda b: control(b).update(order=1),
    ),
    "a data view inside a control": (
        "dataViewId stands in the references",
        lambda b: control(b)["explicitInput"].update(dataViewId="elkwatch-findings"),
    ),
    "a control of no kind": (
        "type must be one of optionsListControl",
        lambda b: control(b).update(type="options_list_control"),
    ),
    "a control without its list of choices": (
        "selectedOptions",
        lambda b: control(b)["explicitInput"].pop("selectedOptions"),
    ),
    "a control of no width": (
        "width must be",
        lambda b: control(b).update(width="wide"),
    ),
    "a control without grow": (
        "grow must be",
        lambda b: control(b).pop("grow"),
    ),
    "a control without a title": (
        "title must be",
        lambda b: control(b)["explicitInput"].pop("title"),
    ),
    "a control of a field that does not exist": (
        "is no keyword",
        lambda b: control(b)["explicitInput"].update(fieldName="rule.title"),
    ),
    "a range of a keyword": (
        "is no number",
        lambda b: _as_range(b, "rule.name", ["1", "5"]),
    ),
    "a range whose ends are numbers": (
        "two texts",
        lambda b: _as_range(b, "elkwatch.risk", [1, 5]),
    ),
    "a list sorted by nothing": (
        "sort needs by",
        lambda b: control(b)["explicitInput"].update(sort={"by": "count"}),
    ),
    "a search in a list that nobody knows": (
        "searchTechnique must be",
        lambda b: control(b)["explicitInput"].update(searchTechnique="regexp"),
    ),
    "controls in no line": (
        "controlStyle must be",
        lambda b: group(b).update(controlStyle="threeLines"),
    ),
    "controls in no order": (
        "chainingSystem must be",
        lambda b: group(b).update(chainingSystem="LINEAR"),
    ),
    "what controls ignore is half said": (
        "ignoreTimerange is missing",
        lambda b: group(b)["ignoreParentSettingsJSON"].pop("ignoreTimerange"),
    ),
    "a colon in a control's id": (
        "may hold no colon",
        lambda b: rename(group(b)["panelsJSON"], "class", "cl:ass"),
    ),
    "the reference of a control by another suffix": (
        "no reference named controlGroup_class",
        lambda b: b.reference(
            "elkwatch-overview", "controlGroup_class:optionsListDataView"
        ).update(name="controlGroup_class:dataView"),
    ),
}


def _as_range(b: Built, field: str, ends: list[Any]) -> None:
    old = "controlGroup_class:optionsListDataView"
    name = old.replace("optionsList", "rangeSlider")
    b.reference("elkwatch-overview", old).update(name=name)
    control(b)["type"] = "rangeSliderControl"
    control(b)["explicitInput"].update(fieldName=field, value=ends)
