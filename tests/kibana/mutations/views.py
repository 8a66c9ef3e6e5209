"""Data views and saved searches."""

from __future__ import annotations

from tests.kibana.built import Built
from tests.kibana.mutations.places import (
    LATEST,
    VIEW,
    Mutations,
    formats,
    rename,
    source,
)

VIEWS: Mutations = {
    "parsedUrl overrides the address": (
        "parsedUrl",
        lambda b: formats(b)["event.url"]["params"].update(parsedUrl={"origin": "x"}),
    ),
    "an unknown field format": (
        "no field format",
        lambda b: formats(b)["event.url"].update(id="link"),
    ),
    "a link template that begins with /": (
        "begins with /",
        lambda b: formats(b)["event.url"]["params"].update(
            urlTemplate="/app/discover#/?{{value}}"
        ),
    ),
    "rawValue in a label": (
        "rawValue",
        lambda b: formats(b)["event.url"]["params"].update(
            labelTemplate="{{rawValue}}"
        ),
    ),
    "a colour format without fieldType": (
        "fieldType is missing",
        lambda b: formats(b)["elkwatch.severity"]["params"].pop("fieldType"),
    ),
    "a format of a field that does not exist": (
        "is not in",
        lambda b: rename(formats(b), "event.url", "event.link"),
    ),
    "a time field that is no date": (
        "is no date",
        lambda b: b[VIEW]["attributes"].update(timeFieldName="event.id"),
    ),
    "no time field: no time picker": (
        "timeFieldName",
        lambda b: b[VIEW]["attributes"].pop("timeFieldName"),
    ),
    "an error while there is no index": (
        "allowNoIndex",
        lambda b: b[VIEW]["attributes"].update(allowNoIndex=False),
    ),
    "a list of fields that is no JSON": (
        "fields must be a text that holds",
        lambda b: b[VIEW]["attributes"].update(fields="[}"),
    ),
    "a newer attribute: the search is refused": (
        "is no attribute of version",
        lambda b: b[LATEST]["attributes"].update(sampleSize=100),
    ),
    "an unknown column": (
        "is not in",
        lambda b: b[LATEST]["attributes"]["columns"].append("rule.title"),
    ),
    "indexRefName missing": (
        "indexRefName",
        lambda b: source(b).pop("indexRefName"),
    ),
    "the search's reference misnamed": (
        "no reference named",
        lambda b: b[LATEST]["references"][0].update(name="index"),
    ),
    "a sort that is no pair": (
        "sort must hold pairs",
        lambda b: b[LATEST]["attributes"].update(sort=[["@timestamp"]]),
    ),
    "a width that is a text": (
        "only width",
        lambda b: b[LATEST]["attributes"]["grid"]["columns"]["rule.name"].update(
            width="wide"
        ),
    ),
    "a query about a field that does not exist": (
        "is not in",
        lambda b: source(b)["query"].update(query="elkwatch.state : open"),
    ),
    "a query that cannot be read": (
        "is no KQL",
        lambda b: source(b)["query"].update(query='elkwatch.status : "open'),
    ),
    "a search without a title": (
        "title must be",
        lambda b: b["elkwatch-latest-findings"]["attributes"].pop("title"),
    ),
    "a static lookup": (
        "key (a text",
        lambda b: formats(b).update(
            {
                "event.severity": {
                    "id": "static_lookup",
                    "params": {"lookupEntries": [{"key": 3, "value": "high"}]},
                }
            }
        ),
    ),
    "field formats that are no JSON": (
        "fieldFormatMap must be a text that holds",
        lambda b: b[VIEW]["attributes"].update(fieldFormatMap="{]"),
    ),
    "runtime fields that are no JSON": (
        "runtimeFieldMap must be a text that holds",
        lambda b: b[VIEW]["attributes"].update(runtimeFieldMap="none"),
    ),
    "a data view without a title": (
        "title must be",
        lambda b: b[VIEW]["attributes"].pop("title"),
    ),
    "a label of a field that does not exist": (
        "is not in",
        lambda b: b[VIEW]["attributes"]["fieldAttrs"].update(
            {"rule.title": {"customLabel": "class"}}
        ),
    ),
    "a link of no type": (
        "type of a url format",
        lambda b: formats(b)["event.url"]["params"].update(type="link"),
    ),
    "a link template without its value": (
        "does not use {{value}}",
        lambda b: formats(b)["event.url"]["params"].update(
            urlTemplate="../app/discover#/"
        ),
    ),
    "a variable that vanishes from a link": (
        "has no variable field",
        lambda b: formats(b)["event.url"]["params"].update(
            urlTemplate="../app/{{field}}/{{value}}"
        ),
    ),
    "a variable that vanishes from a label": (
        "has no variable name",
        lambda b: formats(b)["event.url"]["params"].update(labelTemplate="{{name}}"),
    ),
    "a link of a query that a quotation mark breaks": (
        "write the whole link into the field",
        lambda b: formats(b)["event.url"]["params"].update(
            urlTemplate="../app/discover#/?_a=(query:(query:'id:{{value}}'))"
        ),
    ),
    "a link to a dashboard by its id": (
        "ids change in another space",
        lambda b: formats(b)["event.url"]["params"].update(
            urlTemplate="../app/dashboards#/view/elkwatch-overview?q={{value}}"
        ),
    ),
    "a colour by a pattern that cannot be read": (
        "regex cannot be read",
        lambda b: formats(b)["elkwatch.severity"]["params"]["colors"][0].update(
            regex="^(critical"
        ),
    ),
    "a colour of a number without its range": (
        "range must be two numbers",
        lambda b: _colour_of_numbers(b, "above 80"),
    ),
    "a length of time of no unit": (
        "inputFormat",
        lambda b: formats(b)["event.duration"]["params"].pop("inputFormat"),
    ),
    "a column width of no column": (
        "is no column of the search",
        lambda b: b[LATEST]["attributes"]["grid"]["columns"].update(
            {"rule.id": {"width": 90}}
        ),
    ),
    "a search without columns: whole documents": (
        "columns are empty",
        lambda b: b[LATEST]["attributes"].update(columns=[], grid={}),
    ),
    "a search sorted by no field": (
        "is not in the data view",
        lambda b: b[LATEST]["attributes"].update(sort=[["event.time", "desc"]]),
    ),
    "a search that is not sorted": (
        "sort is empty",
        lambda b: b[LATEST]["attributes"].update(sort=[]),
    ),
    "the search's data view inside its source": (
        "index stands in the references",
        lambda b: source(b).update(index=VIEW),
    ),
    "a query of another language": (
        "language must be kuery",
        lambda b: source(b)["query"].update(language="lucene"),
    ),
}


def _colour_of_numbers(b: Built, span: str) -> None:
    params = formats(b)["elkwatch.severity"]["params"]
    params["fieldType"] = "number"
    for colour in params["colors"]:
        colour["range"] = span
