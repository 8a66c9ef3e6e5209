"""A Lens panel: its references, its state, its layers."""

from __future__ import annotations

from tests.kibana.mutations.places import Mutations, rename

LENS_PANELS: Mutations = {
    "a reference in one list only": (
        "the layer is dropped",
        lambda b: b.chart("timeline").update(references=[]),
    ),
    "two lists that differ": (
        "differs between panel and dashboard",
        lambda b: b.chart("timeline")["references"][0].update(id="elkwatch-runs"),
    ),
    "the dashboard's reference without the prefix": (
        "no reference named",
        lambda b: b.reference(
            "elkwatch-overview", "timeline:indexpattern-datasource-layer-layer"
        ).update(name="indexpattern-datasource-layer-layer"),
    ),
    "attributes.version": (
        "attributes.version",
        lambda b: b.chart("timeline").update(version=1),
    ),
    "no visualizationType": (
        "visualizationType",
        lambda b: b.chart("timeline").pop("visualizationType"),
    ),
    "a panel query about an unknown field": (
        "is not in",
        lambda b: b.chart("timeline")["state"]["query"].update(query="severity : high"),
    ),
    "the layers under their old name": (
        "is not of 8.12",
        lambda b: rename(
            b.chart("timeline")["state"]["datasourceStates"],
            "formBased",
            "indexpattern",
        ),
    ),
    "references that are no list": (
        "references must be a list",
        lambda b: b.chart("timeline").update(references=None),
    ),
    "no adHocDataViews": (
        "adHocDataViews is missing",
        lambda b: b.chart("timeline")["state"].pop("adHocDataViews"),
    ),
    "no internalReferences": (
        "internalReferences is missing",
        lambda b: b.chart("timeline")["state"].pop("internalReferences"),
    ),
    "no filters": (
        "state.filters is missing",
        lambda b: b.chart("timeline")["state"].pop("filters"),
    ),
    "a data view inside a layer": (
        "indexPatternId is not of 8.12",
        lambda b: b.layer("timeline").update(indexPatternId="elkwatch-findings"),
    ),
    "attributes of another type": (
        "attributes.type must be lens",
        lambda b: b.chart("timeline").update(type="visualization"),
    ),
    "no query": (
        "state.query is missing",
        lambda b: b.chart("timeline")["state"].pop("query"),
    ),
    "ES|QL: not for 8.12": (
        "is not of 8.12",
        lambda b: b.chart("timeline")["state"]["datasourceStates"].update(
            textBased={"layers": {}}
        ),
    ),
    "no layer: nothing is drawn": (
        "there is no layer",
        lambda b: b.chart("timeline")["state"]["datasourceStates"]["formBased"].update(
            layers={}
        ),
    ),
    "a sample instead of all documents": (
        "sampling must be 1",
        lambda b: b.layer("timeline").update(sampling=0.1),
    ),
    "a column that is not finished": (
        "incompleteColumns must be",
        lambda b: b.layer("timeline").update(incompleteColumns={"x": {}}),
    ),
    "a linked layer (for trend lines)": (
        "linkToLayers is not of 8.12",
        lambda b: b.layer("timeline").update(linkToLayers=["main"]),
    ),
    "filters that no panel says": (
        "ignoreGlobalFilters",
        lambda b: b.layer("timeline").pop("ignoreGlobalFilters"),
    ),
    "a filter pill inside a chart": (
        "filters must be []",
        lambda b: b.chart("timeline")["state"].update(filters=[{"meta": {}}]),
    ),
    "an ad-hoc data view": (
        "adHocDataViews must be {}",
        lambda b: b.chart("timeline")["state"].update(adHocDataViews={"x": {}}),
    ),
    "a reference of a layer that is gone": (
        "belongs to no layer",
        lambda b: b.chart("timeline")["references"].append(
            {
                "type": "index-pattern",
                "id": "elkwatch-findings",
                "name": "indexpattern-datasource-layer-old",
            }
        ),
    ),
}
