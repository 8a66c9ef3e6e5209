"""A Lens panel by value: attributes, its reference in both places, its layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kibana.check.defect import Spot
from kibana.check.fields import ViewFields
from kibana.check.lens_layer import Layer, check_layer
from kibana.check.queries import check_query
from kibana.check.visualizations import check_visualization

if TYPE_CHECKING:
    from kibana.check.panels import PanelReferences

_KEYS = {
    "title",
    "description",
    "type",
    "visualizationType",
    "references",
    "state",
}
_STATE = {
    *("visualization", "query", "filters", "datasourceStates"),
    *("internalReferences", "adHocDataViews"),
}


def check_lens(
    config: Mapping[str, Any],
    references: PanelReferences,
    views: Mapping[str, ViewFields],
    spot: Spot,
) -> None:
    """One chart."""
    attributes = spot.mapping(config.get("attributes"), "attributes")
    for key in sorted(set(attributes) - _KEYS):
        spot.tell(
            "attributes.version makes 9.x skip its conversions; leave it out"
            if key == "version"
            else f"attributes.{key} is unknown to 8.12; leave it out"
        )
    spot.need(attributes.get("type") == "lens", "attributes.type must be lens")
    own = _own_references(attributes.get("references"), spot)
    state = spot.mapping(attributes.get("state"), "state")
    for key in sorted(set(state) ^ _STATE):
        spot.tell(f"state.{key} {'is unknown' if key in state else 'is missing'}")
    spot.need(state.get("internalReferences") == [], "internalReferences must be []")
    spot.need(state.get("adHocDataViews") == {}, "adHocDataViews must be {}")
    spot.need(state.get("filters") == [], "filters must be []; use the query")
    layers = _layers(state, own, references, views, spot)
    for layer in layers.values():
        check_query(state.get("query"), layer.view, spot)
        check_layer(layer, spot.at(f"layer {layer.id}"))
    check_visualization(
        attributes.get("visualizationType"), state.get("visualization"), layers, spot
    )


def _own_references(value: Any, spot: Spot) -> dict[str, tuple[Any, Any]]:
    """The panel's own list: Kibana takes only what stands in both lists."""
    found = {}
    for reference in spot.items(value, "attributes.references"):
        if spot.need(isinstance(reference, dict), "a reference must be an object"):
            name = str(reference.get("name"))
            found[name] = (reference.get("type"), reference.get("id"))
    return found


def _layers(
    state: Mapping[str, Any],
    own: dict[str, tuple[Any, Any]],
    references: PanelReferences,
    views: Mapping[str, ViewFields],
    spot: Spot,
) -> dict[str, Layer]:
    sources = spot.mapping(state.get("datasourceStates"), "datasourceStates")
    strange = sorted(set(sources) - {"formBased"})
    spot.need(not strange, f"datasourceStates {', '.join(strange)} is not of 8.12")
    form = spot.mapping(sources.get("formBased"), "formBased")
    stored = spot.mapping(form.get("layers"), "layers")
    spot.need(bool(stored), "there is no layer: nothing is drawn")
    layers = {}
    for layer_id, value in stored.items():
        name = f"indexpattern-datasource-layer-{layer_id}"
        there = references.take(name, "index-pattern", spot)
        if spot.need(
            name in own, f"attributes.references has no {name}: the layer is dropped"
        ):
            wanted = (there.type, there.id) if there else own[name]
            spot.need(
                own[name] == wanted,
                f"{name} differs between panel and dashboard; the dashboard's wins",
            )
        view = views.get(there.id) if there else None
        layers[layer_id] = Layer.of(layer_id, spot.mapping(value, "layer"), view)
    for name in sorted(
        set(own) - {f"indexpattern-datasource-layer-{i}" for i in stored}
    ):
        spot.tell(f"attributes.references: {name} belongs to no layer")
    return layers
