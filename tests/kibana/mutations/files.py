"""The file and its objects: versions, ids, references."""

from __future__ import annotations

from tests.kibana.mutations.places import DETAIL, LATEST, Mutations

FILES: Mutations = {
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
        lambda b: b.objects.remove(b[DETAIL]),
    ),
    "two references of one name": (
        "comes twice",
        lambda b: b.overview["references"].append(dict(b.overview["references"][0])),
    ),
    "a reference that nothing uses": (
        "no panel and no control uses it",
        lambda b: b.overview["references"].append(
            {"name": "old:panel_old", "type": "search", "id": LATEST}
        ),
    ),
    "a reference of no type that is there": (
        "type",
        lambda b: b.overview["references"][0].update(type="index_pattern"),
    ),
}
