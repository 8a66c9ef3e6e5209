"""Ways to break the built file, each one a trap that Kibana's import does not see.

python -m tests.kibana.mutations    how many of them the checker finds, and a blind
                                    round: every single key and item left out in turn
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kibana import Defect
from tests.kibana.built import Built, defects_of, leaves, without

Change = Callable[[Built], Any]

_DETAIL = "elkwatch-class-detail"
_LATEST = "elkwatch-latest-findings"
_VIEW = "elkwatch-findings"


def _control(b: Built, name: str = "class") -> dict[str, Any]:
    group = b.overview["attributes"]["controlGroupInput"]
    control: dict[str, Any] = group["panelsJSON"][name]
    return control


def _event(b: Built) -> dict[str, Any]:
    enhancements = b.panel("timeline")["embeddableConfig"]["enhancements"]
    event: dict[str, Any] = enhancements["dynamicActions"]["events"][0]
    return event


def _link(b: Built) -> dict[str, Any]:
    attributes = b.panel("navigation")["embeddableConfig"]["attributes"]
    link: dict[str, Any] = attributes["links"][0]
    return link


def _columns(b: Built, panel: str, dashboard: str = "elkwatch-overview") -> Any:
    return b.layer(panel, dashboard)["columns"]


def _formats(b: Built) -> dict[str, Any]:
    formats: dict[str, Any] = b[_VIEW]["attributes"]["fieldFormatMap"]
    return formats


def _source(b: Built, object_id: str = _LATEST) -> dict[str, Any]:
    meta = b[object_id]["attributes"]["kibanaSavedObjectMeta"]
    source: dict[str, Any] = meta["searchSourceJSON"]
    return source


def _rename(holder: dict[str, Any], old: str, new: str) -> None:
    holder[new] = holder.pop(old)


#: What is broken (a phrase of the defect that must be told) and how.
MUTATIONS: dict[str, tuple[str, Change]] = {
    # The file and its objects
    "version newer than 8.12": (
        "typeMigrationVersion",
        lambda b: b.overview.update(typeMigrationVersion="10.2.0"),
    ),
    "no type version: every migration runs": (
        "typeMigrationVersion",
        lambda b: b.overview.pop("typeMigrationVersion"),
    ),
    "core version of a newer Kibana": (
        "coreMigrationVersion",
        lambda b: b.overview.update(coreMigrationVersion="9.2.0"),
    ),
    "an id twice": ("comes twice", lambda b: b.objects.append(dict(b.overview))),
    "a type that cannot be imported": (
        "type is none",
        lambda b: b.overview.update(type="dashbord"),
    ),
    "managed: nobody may edit": ("managed", lambda b: b.overview.update(managed=True)),
    "a data view that is not in the file": (
        "nothing would be imported",
        lambda b: b.objects.remove(b["elkwatch-runs"]),
    ),
    "a dashboard that a link names is not there": (
        "the link is dead",
        lambda b: b.objects.remove(b[_DETAIL]),
    ),
    "two references of one name": (
        "comes twice",
        lambda b: b.overview["references"].append(dict(b.overview["references"][0])),
    ),
    "a reference that nothing uses": (
        "no panel and no control uses it",
        lambda b: b.overview["references"].append(
            {"name": "old:panel_old", "type": "search", "id": _LATEST}
        ),
    ),
    # Data views
    "parsedUrl overrides the address": (
        "parsedUrl",
        lambda b: _formats(b)["event.url"]["params"].update(parsedUrl={"origin": "x"}),
    ),
    "an unknown field format": (
        "no field format",
        lambda b: _formats(b)["event.url"].update(id="link"),
    ),
    "a link template that begins with /": (
        "begins with /",
        lambda b: _formats(b)["event.url"]["params"].update(
            urlTemplate="/app/discover#/?{{value}}"
        ),
    ),
    "rawValue in a label": (
        "rawValue",
        lambda b: _formats(b)["event.url"]["params"].update(
            labelTemplate="{{rawValue}}"
        ),
    ),
    "a colour format without fieldType": (
        "fieldType is missing",
        lambda b: _formats(b)["elkwatch.severity"]["params"].pop("fieldType"),
    ),
    "a format of a field that does not exist": (
        "is not in",
        lambda b: _rename(_formats(b), "event.url", "event.link"),
    ),
    "a time field that is no date": (
        "is no date",
        lambda b: b[_VIEW]["attributes"].update(timeFieldName="event.id"),
    ),
    "no time field: no time picker": (
        "timeFieldName",
        lambda b: b[_VIEW]["attributes"].pop("timeFieldName"),
    ),
    "an error while there is no index": (
        "allowNoIndex",
        lambda b: b[_VIEW]["attributes"].update(allowNoIndex=False),
    ),
    "a list of fields that is no JSON": (
        "fields must be a text that holds",
        lambda b: b[_VIEW]["attributes"].update(fields="[}"),
    ),
    # The saved search
    "a newer attribute: the search is refused": (
        "is no attribute of version",
        lambda b: b[_LATEST]["attributes"].update(sampleSize=100),
    ),
    "an unknown column": (
        "is not in",
        lambda b: b[_LATEST]["attributes"]["columns"].append("rule.title"),
    ),
    "indexRefName missing": (
        "indexRefName",
        lambda b: _source(b).pop("indexRefName"),
    ),
    "the search's reference misnamed": (
        "no reference named",
        lambda b: b[_LATEST]["references"][0].update(name="index"),
    ),
    "a sort that is no pair": (
        "sort must hold pairs",
        lambda b: b[_LATEST]["attributes"].update(sort=[["@timestamp"]]),
    ),
    "a width that is a text": (
        "only width",
        lambda b: b[_LATEST]["attributes"]["grid"]["columns"]["rule.name"].update(
            width="wide"
        ),
    ),
    "a query about a field that does not exist": (
        "is not in",
        lambda b: _source(b)["query"].update(query="elkwatch.state : open"),
    ),
    "a query that cannot be read": (
        "is no KQL",
        lambda b: _source(b)["query"].update(query='elkwatch.status : "open'),
    ),
    # Dashboards
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
        lambda b: _link(b).update(destinationRefName="link_x_dashboard"),
    ),
    # Controls
    "a control under another key": (
        "explicitInput.id",
        lambda b: _control(b)["explicitInput"].update(id="klass"),
    ),
    "a control whose data view is missing": (
        "no reference named controlGroup_class",
        lambda b: b.overview["references"].remove(
            b.reference("elkwatch-overview", "controlGroup_class:optionsListDataView")
        ),
    ),
    "a control of a text field": (
        "is no keyword",
        lambda b: _control(b)["explicitInput"].update(fieldName="message"),
    ),
    "a newer key of the control group": (
        "unknown to 8.12",
        lambda b: b.overview["attributes"]["controlGroupInput"].update(
            showApplySelections=True
        ),
    ),
    "two controls in one place": (
        "order of the controls",
        lambda b: _control(b).update(order=1),
    ),
    # Drilldowns
    "a drilldown of a paid licence": (
        "free licence",
        lambda b: _event(b)["action"].update(factoryId="URL_DRILLDOWN"),
    ),
    "a trigger that 9.4 drops": (
        "FILTER_TRIGGER",
        lambda b: _event(b).update(triggers=["VALUE_CLICK_TRIGGER"]),
    ),
    "a drilldown without a target": (
        "no reference named",
        lambda b: b.overview["references"].remove(
            b.reference("elkwatch-overview", "detail:dashboardId")
        ),
    ),
    # Lens: the panel
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
        lambda b: _rename(
            b.chart("timeline")["state"]["datasourceStates"],
            "formBased",
            "indexpattern",
        ),
    ),
    # Lens: columns
    "columnOrder empty": (
        "columnOrder must name",
        lambda b: b.layer("timeline").update(columnOrder=[]),
    ),
    "columnOrder lacks a column": (
        "columnOrder must name",
        lambda b: b.layer("timeline")["columnOrder"].remove("findings"),
    ),
    "a metric before a bucket": (
        "buckets before metrics",
        lambda b: b.layer("timeline").update(columnOrder=["findings", "class", "time"]),
    ),
    "the histogram before the terms": (
        "terms before date_histogram",
        lambda b: b.layer("timeline").update(columnOrder=["time", "class", "findings"]),
    ),
    "ordered by no column": (
        "silently alphabetical",
        lambda b: _columns(b, "timeline")["class"]["params"]["orderBy"].update(
            columnId="count"
        ),
    ),
    "ordered by a bucket": (
        "plain metric",
        lambda b: _columns(b, "timeline")["class"]["params"]["orderBy"].update(
            columnId="time"
        ),
    ),
    "a field that does not exist": (
        "is not in",
        lambda b: _columns(b, "timeline")["class"].update(sourceField="rule.title"),
    ),
    "terms of a text field": (
        "cannot be taken of",
        lambda b: _columns(b, "timeline")["class"].update(sourceField="message"),
    ),
    "a sum of a keyword": (
        "cannot be taken of",
        lambda b: _columns(b, "judged")["judged"].update(sourceField="elkwatch.source"),
    ),
    "a histogram over a keyword": (
        "cannot be taken of",
        lambda b: _columns(b, "timeline")["time"].update(sourceField="event.id"),
    ),
    "a last value of another type": (
        "dataType must be",
        lambda b: _columns(b, "lag")["lag"].update(dataType="string"),
    ),
    "a last value sorted by no date": (
        "is no date",
        lambda b: _columns(b, "lag")["lag"]["params"].update(
            sortField="event.duration"
        ),
    ),
    "a tile that hides 0": (
        "true hides a 0",
        lambda b: _columns(b, "open")["open"]["params"].update(emptyAsNull=True),
    ),
    "a scale that draws another axis": (
        "scale must be",
        lambda b: _columns(b, "timeline")["time"].update(scale="ordinal"),
    ),
    "isBucketed wrong": (
        "isBucketed",
        lambda b: _columns(b, "timeline")["class"].update(isBucketed=False),
    ),
    "a missing bucket without others": (
        "missingBucket works",
        lambda b: _columns(b, "classes")["class"]["params"].update(missingBucket=True),
    ),
    "a label that is made anew": (
        "customLabel",
        lambda b: _columns(b, "timeline")["class"].pop("customLabel"),
    ),
    "a number format nobody knows": (
        "format must be",
        lambda b: _columns(b, "lag")["lag"]["params"]["format"].update(id="secs"),
    ),
    # Lens: formulas
    "a formula without its helpers": (
        "or the value is empty",
        lambda b: _columns(b, "rate")["rate"].update(references=[]),
    ),
    "a tree that says something else": (
        "tinymathAst",
        lambda b: _columns(b, "rate")["rateX2"]["params"]["tinymathAst"].update(
            name="multiply"
        ),
    ),
    "a tree the wrong way round": (
        "tinymathAst",
        lambda b: _columns(b, "rate")["rateX2"]["params"]["tinymathAst"].update(
            args=["rateX1", "rateX0"]
        ),
    ),
    "a helper over another field": (
        "helper rateX0 must be",
        lambda b: _columns(b, "rate")["rateX0"].update(
            sourceField="elkwatch.run.sessions.open"
        ),
    ),
    "a column id that begins with the formula's": (
        "begins with the id of the formula",
        lambda b: _begin_like_the_formula(b),
    ),
    # Lens: what is drawn
    "an accessor of no column": (
        "is no column",
        lambda b: b.drawn("timeline")["layers"][0].update(accessors=["count"]),
    ),
    "no accessor: the layer is skipped": (
        "accessors are empty",
        lambda b: b.drawn("timeline")["layers"][0].update(accessors=[]),
    ),
    "an axis that is a metric": (
        "must be a bucket",
        lambda b: b.drawn("timeline")["layers"][0].update(xAccessor="findings"),
    ),
    "a helper as accessor": (
        "is a helper",
        lambda b: b.drawn("rate").update(metricAccessor="rateX0"),
    ),
    "a layerId of no layer": (
        "is no layer",
        lambda b: b.drawn("timeline")["layers"][0].update(layerId="other"),
    ),
    "a tile without its metric": (
        "metricAccessor",
        lambda b: b.drawn("open").pop("metricAccessor"),
    ),
    "bars without a legend: an exception": (
        "legend",
        lambda b: b.drawn("timeline").pop("legend"),
    ),
    "fittingFunction unset": (
        "fittingFunction",
        lambda b: b.drawn("timeline").pop("fittingFunction"),
    ),
    "splitAccessors of Lens v2": (
        "not of 8.12",
        lambda b: _rename(
            b.drawn("timeline")["layers"][0], "splitAccessor", "splitAccessors"
        ),
    ),
    "a donut with `metric`": (
        "metrics",
        lambda b: _rename(b.drawn("severities")["layers"][0], "metrics", "metric"),
    ),
    "nestedLegend with one group": (
        "nestedLegend",
        lambda b: b.drawn("severities")["layers"][0].update(nestedLegend=True),
    ),
    "a heat map without a legend": (
        "legend",
        lambda b: b.drawn("services").pop("legend"),
    ),
    "a heat map without gridConfig": (
        "gridConfig",
        lambda b: b.drawn("services").pop("gridConfig"),
    ),
    "a palette for another column": (
        "palette.accessor",
        lambda b: b.drawn("services")["palette"].update(accessor="time"),
    ),
    "stops that fall": (
        "stops must rise",
        lambda b: b.drawn("services")["palette"]["params"]["stops"].reverse(),
    ),
    "a colour loop of a later version": (
        "color.type must be colorCode",
        lambda b: b.drawn("severities")["layers"][0]["colorMapping"][
            "specialAssignments"
        ][0].update(color={"type": "loop"}),
    ),
    "a table of a column that is gone": (
        "is no column",
        lambda b: b.drawn("classes")["columns"][0].update(columnId="kind"),
    ),
    "a column that the chart forgot": (
        "is used nowhere",
        lambda b: b.drawn("classes")["columns"].pop(),
    ),
    # Further ones that show only in a browser
    "references that are no list": (
        "references must be a list",
        lambda b: b.chart("timeline").update(references=None),
    ),
    "a visualization nobody has": (
        "visualizationType must be one of",
        lambda b: b.chart("timeline").update(visualizationType="lnsBars"),
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
    "a series type nobody draws": (
        "seriesType must be one of",
        lambda b: b.drawn("timeline")["layers"][0].update(seriesType="bars"),
    ),
    "emphasizeFitting unset": (
        "emphasizeFitting must be set",
        lambda b: b.drawn("timeline").pop("emphasizeFitting"),
    ),
    "a donut without legendDisplay": (
        "legendDisplay must be one of",
        lambda b: b.drawn("severities")["layers"][0].pop("legendDisplay"),
    ),
    "a donut without metrics": (
        "metrics (without it",
        lambda b: b.drawn("severities")["layers"][0].pop("metrics"),
    ),
    "a heat map without values": (
        "valueAccessor",
        lambda b: b.drawn("services").pop("valueAccessor"),
    ),
    "a table sorted by a column that is gone": (
        "sorting.columnId",
        lambda b: b.drawn("classes").update(
            sorting={"columnId": "kind", "direction": "desc"}
        ),
    ),
    "a data view inside a control": (
        "dataViewId stands in the references",
        lambda b: _control(b)["explicitInput"].update(dataViewId="elkwatch-findings"),
    ),
    "a formula that cannot be read": (
        "formula cannot be read",
        lambda b: _columns(b, "rate")["rate"]["params"].update(
            formula="count( / count()"
        ),
    ),
    "a formula that is called broken": (
        "isFormulaBroken must be false",
        lambda b: _columns(b, "rate")["rate"]["params"].update(isFormulaBroken=True),
    ),
    "a data view inside a layer": (
        "indexPatternId is not of 8.12",
        lambda b: b.layer("timeline").update(indexPatternId="elkwatch-findings"),
    ),
    "a reducedTimeRange beside a histogram": (
        "reducedTimeRange is ignored",
        lambda b: _columns(b, "timeline")["findings"].update(reducedTimeRange="5m"),
    ),
    "panels that are no JSON": (
        "panelsJSON must be a text",
        lambda b: b.overview["attributes"].update(panelsJSON="[{"),
    ),
    "several triggers": (
        "9.4 keeps the first only",
        lambda b: _event(b).update(triggers=["FILTER_TRIGGER", "VALUE_CLICK_TRIGGER"]),
    ),
    "a panel's version": (
        "has no version since 8.12",
        lambda b: b.panel("lag").update(version="8.11.0"),
    ),
    "a dashboard without a title": (
        "title must be",
        lambda b: b.overview["attributes"].pop("title"),
    ),
    "a search without a title": (
        "title must be",
        lambda b: b["elkwatch-latest-findings"]["attributes"].pop("title"),
    ),
    "an option that is missing": (
        "syncTooltips is missing",
        lambda b: b.overview["attributes"]["optionsJSON"].pop("syncTooltips"),
    ),
    "a layer type nobody knows": (
        "layerType must be data",
        lambda b: b.drawn("timeline")["layers"][0].update(layerType="datas"),
    ),
    "a control of no kind": (
        "type must be one of optionsListControl",
        lambda b: _control(b).update(type="options_list_control"),
    ),
    "an interval nobody knows": (
        "interval must be auto",
        lambda b: _columns(b, "timeline")["time"]["params"].update(interval="often"),
    ),
    "a missing orderBy": (
        "orderBy must be",
        lambda b: _columns(b, "timeline")["class"]["params"].pop("orderBy"),
    ),
    "a last value without its filter": (
        "needs a filter",
        lambda b: _columns(b, "lag")["lag"].pop("filter"),
    ),
    "a colour mapping of 9.x": (
        "rule must be an object",
        lambda b: _rename(
            b.drawn("severities")["layers"][0]["colorMapping"]["assignments"][0],
            "rule",
            "rules",
        ),
    ),
    "a palette without params": (
        "palette.params must be",
        lambda b: b.drawn("services")["palette"].pop("params"),
    ),
    "a static lookup": (
        "key (a text",
        lambda b: _formats(b).update(
            {
                "event.severity": {
                    "id": "static_lookup",
                    "params": {"lookupEntries": [{"key": 3, "value": "high"}]},
                }
            }
        ),
    ),
    "terms of size 0": (
        "size must be 1 to 1000",
        lambda b: _columns(b, "timeline")["class"]["params"].update(size=0),
    ),
}


def _begin_like_the_formula(b: Built) -> None:
    layer = b.layer("rate")
    column = dict(b.layer("judged")["columns"]["judged"])
    layer["columns"]["rates"] = column
    layer["columnOrder"].append("rates")


def broken(name: str) -> tuple[str, list[Defect]]:
    """The phrase that must be told of this mutation, and what the checker finds."""
    phrase, change = MUTATIONS[name]
    built = Built()
    change(built)
    return phrase, defects_of(built)


def unnoticed() -> Iterator[tuple[Any, ...]]:
    """Every key and item that can be left out without a defect."""
    for path in leaves(Built().objects):
        built = Built()
        without(path)(built)
        if not defects_of(built):
            yield path


def _tell() -> None:
    found = 0
    for name in MUTATIONS:
        phrase, defects = broken(name)
        hit = any(phrase in str(defect) for defect in defects)
        found += hit
        if not hit:
            print(f"not found: {name}")
    print(f"{found} of {len(MUTATIONS)} mutations found")
    total = sum(1 for _ in leaves(Built().objects))
    left = list(unnoticed())
    for path in left:
        print("may be left out:", " / ".join(map(str, path)))
    print(f"{total - len(left)} of {total} keys and items cannot be left out unseen")


if __name__ == "__main__":
    _tell()
