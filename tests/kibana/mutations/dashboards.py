"""Dashboards: their grid, panels, links, texts and drilldowns."""

from __future__ import annotations

from typing import Any

from tests.kibana.built import Built
from tests.kibana.mutations.places import DETAIL, Mutations, event, link, markdown

DASHBOARDS: Mutations = {
    "a newer dashboard attribute": (
        "is no attribute of version",
        lambda b: b.overview["attributes"].update(sections=[]),
    ),
    "half a time range": (
        "timeTo",
        lambda b: b.overview["attributes"].pop("timeTo"),
    ),
    "a refresh without its value": (
        "refreshInterval",
        lambda b: b.overview["attributes"]["refreshInterval"].pop("value"),
    ),
    "a newer option": (
        "unknown to 8.12",
        lambda b: b.overview["attributes"]["optionsJSON"].update(autoApplyFilters=True),
    ),
    "panels on top of each other": (
        "lies on top of",
        lambda b: b.panel("timeline")["gridData"].update(x=10),
    ),
    "a panel beyond column 48": (
        "does not fit",
        lambda b: b.panel("lag")["gridData"].update(w=12),
    ),
    "gridData.i is another": (
        "gridData.i",
        lambda b: b.panel("lag")["gridData"].update(i="late"),
    ),
    "panelIndex twice": (
        "panelIndex comes twice",
        lambda b: b.panel("lag").update(panelIndex="rate"),
    ),
    "a colon in panelIndex": (
        "may hold no colon",
        lambda b: b.panel("lag").update(panelIndex="la:g"),
    ),
    "a panel of a section (9.2)": (
        "gridData has no sectionId",
        lambda b: b.panel("lag")["gridData"].update(sectionId="s"),
    ),
    "a panel type of 9.x": (
        "every Kibana from 8.12 on",
        lambda b: b.panel("navigation").update(type="DASHBOARD_MARKDOWN"),
    ),
    "a search panel without its reference name": (
        "panelRefName",
        lambda b: b.panel("latest").pop("panelRefName"),
    ),
    "a link whose reference is missing": (
        "no reference named",
        lambda b: b.overview["references"].remove(
            b.reference("elkwatch-overview", "link_link1_dashboard")
        ),
    ),
    "a link that names another reference": (
        "destinationRefName",
        lambda b: link(b).update(destinationRefName="link_x_dashboard"),
    ),
    "a drilldown of a paid licence": (
        "free licence",
        lambda b: event(b)["action"].update(factoryId="URL_DRILLDOWN"),
    ),
    "a trigger that 9.4 drops": (
        "FILTER_TRIGGER",
        lambda b: event(b).update(triggers=["VALUE_CLICK_TRIGGER"]),
    ),
    "a drilldown without a target": (
        "no reference named",
        lambda b: b.overview["references"].remove(
            b.reference("elkwatch-overview", "detail:dashboardId")
        ),
    ),
    "panels that are no JSON": (
        "panelsJSON must be a text",
        lambda b: b.overview["attributes"].update(panelsJSON="[{"),
    ),
    "several triggers": (
        "9.4 keeps the first only",
        lambda b: event(b).update(triggers=["FILTER_TRIGGER", "VALUE_CLICK_TRIGGER"]),
    ),
    "a panel's version": (
        "has no version since 8.12",
        lambda b: b.panel("lag").update(version="8.11.0"),
    ),
    "a dashboard without a title": (
        "title must be",
        lambda b: b.overview["attributes"].pop("title"),
    ),
    "an option that is missing": (
        "syncTooltips is missing",
        lambda b: b.overview["attributes"]["optionsJSON"].pop("syncTooltips"),
    ),
    "a stored time that is not used": (
        "timeRestore must be true",
        lambda b: b.overview["attributes"].update(timeRestore=False),
    ),
    "a refresh that wears the cluster out": (
        "below 5 s",
        lambda b: b.overview["attributes"]["refreshInterval"].update(
            value=500, pause=False
        ),
    ),
    "an option that is a text": (
        "must be true or false",
        lambda b: b.overview["attributes"]["optionsJSON"].update(useMargins="yes"),
    ),
    "options that are no JSON": (
        "optionsJSON must be a text",
        lambda b: b.overview["attributes"].update(optionsJSON="{"),
    ),
    "a query of the dashboard that one data view cannot answer": (
        "may name no field",
        lambda b: b.overview["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"][
            "query"
        ].update(query="rule.name : x"),
    ),
    "a panel without its place": (
        "gridData needs whole numbers",
        lambda b: b.panel("lag")["gridData"].pop("h"),
    ),
    "a panel of no height": (
        "does not fit",
        lambda b: b.panel("lag")["gridData"].update(h=0),
    ),
    "a panel setting that nobody reads": (
        "embeddableConfig has no",
        lambda b: b.panel("lag")["embeddableConfig"].update(hide_title=True),
    ),
    "a panel by value with a reference name": (
        "for panels by reference only",
        lambda b: b.panel("lag").update(panelRefName="panel_lag"),
    ),
    "the reference name of 9.2": (
        "panelRefName must be",
        lambda b: b.panel("latest").update(panelRefName="savedObjectRef"),
    ),
    "an image (its address obeys a policy)": (
        "every Kibana from 8.12 on",
        lambda b: b.panel("navigation").update(type="image"),
    ),
    "links of no layout": (
        "layout must be",
        lambda b: b.panel("navigation")["embeddableConfig"]["attributes"].update(
            layout="row"
        ),
    ),
    "a link to somewhere else": (
        "type must be dashboardLink",
        lambda b: link(b).update(type="externalLink", destination="/app/home"),
    ),
    "a link that forgets the time": (
        "options need useCurrentDateRange",
        lambda b: link(b)["options"].pop("useCurrentDateRange"),
    ),
    "a colon in a link's id": (
        "may hold no colon",
        lambda b: link(b).update(id="a:b"),
    ),
    "one link twice": (
        "comes twice",
        lambda b: link(b).update(id="link1", destinationRefName="link_link1_dashboard"),
    ),
    "a link without its place": (
        "order must be a number",
        lambda b: link(b).pop("order"),
    ),
    "two drilldowns of one id": (
        "comes twice",
        lambda b: _events(b).append(dict(event(b))),
    ),
    "a colon in a drilldown's id": (
        "may hold no colon",
        lambda b: event(b).update(eventId="to:detail"),
    ),
    "a drilldown whose target stands inside": (
        "the target stands in the references",
        lambda b: event(b)["action"]["config"].update(dashboardId=DETAIL),
    ),
    "a drilldown that forgets what was clicked": (
        "config needs useCurrentFilters",
        lambda b: event(b)["action"]["config"].pop("useCurrentFilters"),
    ),
    "a drilldown to Discover where there is no chart": (
        "only a chart",
        lambda b: b.panel("latest")["embeddableConfig"].update(
            enhancements={"dynamicActions": {"events": [_to_discover()]}}
        ),
    ),
    "a text whose data is missing: 9.x fails": (
        "savedVis.data",
        lambda b: markdown(b, "Findings").pop("data"),
    ),
    "a Vega chart (its index stands in a text)": (
        "only markdown",
        lambda b: markdown(b, "Findings").update(type="vega"),
    ),
    "a link in a text that begins with /": (
        "begins with /",
        lambda b: markdown(b, "[logs](/app/discover#/)"),
    ),
    "a link in a text to an id": (
        "names an id in a text",
        lambda b: markdown(b, "[detail](#/view/elkwatch-class-detail)"),
    ),
}


def _events(b: Built) -> list[Any]:
    enhancements = b.panel("timeline")["embeddableConfig"]["enhancements"]
    events: list[Any] = enhancements["dynamicActions"]["events"]
    return events


def _to_discover() -> dict[str, Any]:
    return {
        "eventId": "lines",
        "triggers": ["FILTER_TRIGGER"],
        "action": {
            "factoryId": "OPEN_IN_DISCOVER_DRILLDOWN",
            "name": "Lines",
            "config": {"openInNewTab": False},
        },
    }
