"""The columns of a layer: operations, their parameters, formulas."""

from __future__ import annotations

from tests.kibana.built import Built
from tests.kibana.mutations.places import DETAIL, Mutations, columns

LENS_COLUMNS: Mutations = {
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
        lambda b: columns(b, "timeline")["class"]["params"]["orderBy"].update(
            columnId="count"
        ),
    ),
    "ordered by a bucket": (
        "plain metric",
        lambda b: columns(b, "timeline")["class"]["params"]["orderBy"].update(
            columnId="time"
        ),
    ),
    "a field that does not exist": (
        "is not in",
        lambda b: columns(b, "timeline")["class"].update(sourceField="rule.title"),
    ),
    "terms of a text field": (
        "cannot be taken of",
        lambda b: columns(b, "timeline")["class"].update(sourceField="message"),
    ),
    "a sum of a keyword": (
        "cannot be taken of",
        lambda b: columns(b, "judged")["judged"].update(sourceField="elkwatch.source"),
    ),
    "a histogram over a keyword": (
        "cannot be taken of",
        lambda b: columns(b, "timeline")["time"].update(sourceField="event.id"),
    ),
    "a last value of another type": (
        "dataType must be",
        lambda b: columns(b, "lag")["lag"].update(dataType="string"),
    ),
    "a last value sorted by no date": (
        "is no date",
        lambda b: columns(b, "lag")["lag"]["params"].update(sortField="event.duration"),
    ),
    "a tile that hides 0": (
        "true hides a 0",
        lambda b: columns(b, "open")["open"]["params"].update(emptyAsNull=True),
    ),
    "a scale that draws another axis": (
        "scale must be",
        lambda b: columns(b, "timeline")["time"].update(scale="ordinal"),
    ),
    "isBucketed wrong": (
        "isBucketed",
        lambda b: columns(b, "timeline")["class"].update(isBucketed=False),
    ),
    "a missing bucket without others": (
        "missingBucket works",
        lambda b: columns(b, "classes")["class"]["params"].update(missingBucket=True),
    ),
    "a label that is made anew": (
        "customLabel",
        lambda b: columns(b, "timeline")["class"].pop("customLabel"),
    ),
    "a number format nobody knows": (
        "format must be",
        lambda b: columns(b, "lag")["lag"]["params"]["format"].update(id="secs"),
    ),
    "a formula without its helpers": (
        "or the value is empty",
        lambda b: columns(b, "rate")["rate"].update(references=[]),
    ),
    "a tree that says something else": (
        "tinymathAst",
        lambda b: columns(b, "rate")["rateX2"]["params"]["tinymathAst"].update(
            name="multiply"
        ),
    ),
    "a tree the wrong way round": (
        "tinymathAst",
        lambda b: columns(b, "rate")["rateX2"]["params"]["tinymathAst"].update(
            args=["rateX1", "rateX0"]
        ),
    ),
    "a helper over another field": (
        "helper rateX0 must be",
        lambda b: columns(b, "rate")["rateX0"].update(
            sourceField="elkwatch.run.sessions.open"
        ),
    ),
    "a column id that begins with the formula's": (
        "begins with the id of the formula",
        lambda b: _begin_like_the_formula(b),
    ),
    "a formula that cannot be read": (
        "formula cannot be read",
        lambda b: columns(b, "rate")["rate"]["params"].update(
            formula="count( / count()"
        ),
    ),
    "a formula that is called broken": (
        "isFormulaBroken must be false",
        lambda b: columns(b, "rate")["rate"]["params"].update(isFormulaBroken=True),
    ),
    "a reducedTimeRange beside a histogram": (
        "reducedTimeRange is ignored",
        lambda b: columns(b, "timeline")["findings"].update(reducedTimeRange="5m"),
    ),
    "an interval nobody knows": (
        "interval must be auto",
        lambda b: columns(b, "timeline")["time"]["params"].update(interval="often"),
    ),
    "a missing orderBy": (
        "orderBy must be",
        lambda b: columns(b, "timeline")["class"]["params"].pop("orderBy"),
    ),
    "a last value without its filter": (
        "needs a filter",
        lambda b: columns(b, "lag")["lag"].pop("filter"),
    ),
    "terms of size 0": (
        "size must be 1 to 1000",
        lambda b: columns(b, "timeline")["class"]["params"].update(size=0),
    ),
    "a filter on one column": (
        "set the filter on the panel",
        lambda b: columns(b, "open")["open"].update(
            filter={"query": "elkwatch.anomaly : true", "language": "kuery"}
        ),
    ),
    "a filter of a column about no field": (
        "is not in",
        lambda b: columns(b, "lag")["lag"]["filter"].update(query="lag_s : *"),
    ),
    "a shift of time that nobody knows": (
        "timeShift must be",
        lambda b: columns(b, "open")["open"].update(timeShift="yesterday"),
    ),
    "a scale of time that nobody knows": (
        "timeScale must be",
        lambda b: columns(b, "timeline")["findings"].update(timeScale="w"),
    ),
    "quiet hours vanish": (
        "includeEmptyRows must be true",
        lambda b: columns(b, "timeline")["time"]["params"].update(
            includeEmptyRows=False
        ),
    ),
    "the last bar vanishes": (
        "dropPartials must be false",
        lambda b: columns(b, "timeline")["time"]["params"].update(dropPartials=True),
    ),
    "auto without a range to divide": (
        "ignoreTimeRange",
        lambda b: columns(b, "timeline")["time"]["params"].update(ignoreTimeRange=True),
    ),
    "an order of no direction": (
        "orderDirection must be",
        lambda b: columns(b, "timeline")["class"]["params"].pop("orderDirection"),
    ),
    "an order by what only some fields have": (
        "orderBy must be by",
        lambda b: columns(b, "timeline")["class"]["params"]["orderBy"].update(
            type="rare"
        ),
    ),
    "ordered by a formula": (
        "plain metric",
        lambda b: columns(b, "classes")["findings"].update(operationType="formula"),
    ),
    "terms of several fields under one format": (
        "parentFormat must be",
        lambda b: columns(b, "timeline")["class"]["params"].update(
            parentFormat={"id": "multi_terms"}
        ),
    ),
    "a sum that hides 0": (
        "true hides a 0",
        lambda b: columns(b, "judged")["judged"]["params"].update(emptyAsNull=True),
    ),
    "a count of a field": (
        "sourceField of count",
        lambda b: columns(b, "open")["open"].update(sourceField="event.id"),
    ),
    "a last value as a list": (
        "showArrayValues must be false",
        lambda b: columns(b, "lag")["lag"]["params"].update(showArrayValues=True),
    ),
    "a share beyond 100": (
        "percentile must lie",
        lambda b: columns(b, "score", DETAIL)["half"]["params"].update(percentile=950),
    ),
    "a moving average over no histogram": (
        "is none we use",
        lambda b: columns(b, "open")["open"].update(operationType="moving_average"),
    ),
    "a fixed value": (
        "is none we use",
        lambda b: columns(b, "open")["open"].update(operationType="static_value"),
    ),
    "a number of no decimals": (
        "format needs decimals",
        lambda b: columns(b, "lag")["lag"]["params"]["format"]["params"].pop(
            "decimals"
        ),
    ),
    "a column without a label": (
        "label must be",
        lambda b: columns(b, "timeline")["class"].pop("label"),
    ),
    "a bucket of another kind": (
        "dataType must be",
        lambda b: columns(b, "timeline")["class"].update(dataType="number"),
    ),
    "a formula that says another thing than its helpers": (
        "helper rateX0 must be",
        lambda b: columns(b, "rate")["rate"]["params"].update(
            formula="count() / sum(elkwatch.run.sessions.scored)"
        ),
    ),
    "a tree of another order of helpers": (
        "math must refer to",
        lambda b: columns(b, "rate")["rateX2"]["references"].reverse(),
    ),
    "a formula of what Kibana does not parse so": (
        "formula holds what is not arithmetic",
        lambda b: columns(b, "rate")["rate"]["params"].update(
            formula="count(kql='event.outcome : failure') / count()"
        ),
    ),
}


def _begin_like_the_formula(b: Built) -> None:
    layer = b.layer("rate")
    column = dict(b.layer("judged")["columns"]["judged"])
    layer["columns"]["rates"] = column
    layer["columnOrder"].append("rates")
