"""Install and uninstall against a stub Kibana, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connector import InMemoryStateStore
from elkwatch.installed_objects import ElasticInstallStore
from kibana import (
    BuildWishes,
    EditsFound,
    ImportFailed,
    Key,
    KibanaClient,
    KibanaConfig,
    KibanaTooBusy,
    KibanaUnreachable,
    Removal,
    SavedObject,
    SourceView,
    Step,
    build_objects,
    install,
    uninstall,
)
from tests.kibana.stub import EXPORT, IMPORT, KEY, StubKibana, Trouble

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
ALL = build_objects(BuildWishes(sources=(SourceView("shop", "logs-shop-*"),)))
OVERVIEW = Key("dashboard", "elkwatch-overview")
FINDINGS = Key("index-pattern", "elkwatch-findings")


class Place:
    """A stub Kibana, and the state that survives between commands."""

    def __init__(self, kibana: StubKibana) -> None:
        self.kibana = kibana
        self.state = InMemoryStateStore()

    @property
    def store(self) -> ElasticInstallStore:
        return ElasticInstallStore(self.state)

    def client(self, space: str = "default", **more: Any) -> KibanaClient:
        return KibanaClient(KibanaConfig(self.kibana.url, space, KEY, **more))

    def install(
        self, objects: Sequence[SavedObject] = ALL, space: str = "default", **how: Any
    ) -> tuple[Step, ...]:
        return install(self.client(space), objects, self.store, NOW, **how)

    def uninstall(self, space: str = "default", **how: Any) -> tuple[Removal, ...]:
        return uninstall(self.client(space), self.store, NOW, ours=ALL, **how)

    def changes(self, steps: Sequence[Step]) -> dict[str, int]:
        kinds = [step.change for step in steps]
        return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}

    def edit(self, key: Key = OVERVIEW, **attributes: Any) -> None:
        self.kibana.store.edit((key.type, key.id), **attributes)

    def in_space(self, space: str) -> set[tuple[str, str]]:
        objects = self.kibana.store.objects
        return {place for place, one in objects.items() if space in one["namespaces"]}


@pytest.fixture
def place() -> Iterator[Place]:
    with StubKibana() as stub:
        yield Place(stub)


def newer(objects: Sequence[SavedObject] = ALL) -> tuple[SavedObject, ...]:
    """A later version of elkwatch, with another description of the overview."""
    return tuple(
        replace(one, attributes={**one.attributes, "description": "Better."})
        if one.id == OVERVIEW.id
        else one
        for one in objects
    )


def test_everything_is_created_then_nothing_is_sent_again(place: Place) -> None:
    assert place.changes(place.install()) == {"create": len(ALL)}
    writes = place.kibana.store.writes
    assert place.changes(place.install()) == {"unchanged": len(ALL)}
    assert place.kibana.store.writes == writes
    assert place.kibana.paths("POST").count(IMPORT) == 1


def test_a_dry_run_writes_nothing_anywhere(place: Place) -> None:
    assert place.changes(place.install(dry_run=True)) == {"create": len(ALL)}
    assert place.kibana.store.writes == 0
    assert place.store.spaces() == []


def test_only_what_changed_is_sent(place: Place) -> None:
    place.install()
    steps = place.install(newer())
    assert [s.key for s in steps if s.change == "update"] == [OVERVIEW]
    sent = place.kibana.asked[-2].body.decode()
    assert sent.count('"typeMigrationVersion"') == 1
    there = place.kibana.store.objects["dashboard", OVERVIEW.id]
    assert there["attributes"]["description"] == "Better."


def test_an_edit_is_named_and_refused_before_anything_is_sent(place: Place) -> None:
    place.install()
    place.edit(title="Ours, but better")
    writes = place.kibana.store.writes
    with pytest.raises(EditsFound) as raised:
        place.install(newer())
    assert raised.value.objects == (f"{OVERVIEW}: edited here: title",)
    assert "--keep-edits" in str(raised.value)
    assert place.kibana.store.writes == writes
    (refused,) = [
        s for s in place.install(newer(), dry_run=True) if s.change == "refused"
    ]
    assert refused.key == OVERVIEW


def test_an_edit_within_a_panel_is_found(place: Place) -> None:
    place.install()
    panels = place.kibana.store.objects["dashboard", OVERVIEW.id]["attributes"]
    place.edit(panelsJSON=panels["panelsJSON"].replace("#bd271e", "#00ff00", 1))
    with pytest.raises(EditsFound, match=r"panelsJSON\[\d+\]\.embeddableConfig"):
        place.install(newer())


def test_a_panel_that_people_added_is_found(place: Place) -> None:
    place.install()
    there = place.kibana.store.objects["dashboard", OVERVIEW.id]["attributes"]
    panels = json.loads(there["panelsJSON"])
    place.edit(panelsJSON=json.dumps([*panels, {"type": "image"}]))
    with pytest.raises(EditsFound, match=r"edited here: panelsJSON\)"):
        place.install(newer())


def test_what_kibana_rewrote_and_nobody_saved_is_no_edit(place: Place) -> None:
    place.install()
    there = place.kibana.store.objects["dashboard", OVERVIEW.id]
    there["attributes"] = {"title": "migrated", "panels": []}
    there["typeMigrationVersion"] = "11.0.0"
    assert place.changes(place.install(newer()))["update"] == 1


def test_keep_edits_updates_the_rest(place: Place) -> None:
    place.install()
    place.edit(FINDINGS, name="my findings")
    steps = place.install(newer(_renamed_findings()), on_edits="keep")
    assert place.changes(steps) == {"kept": 1, "unchanged": len(ALL) - 2, "update": 1}
    there = place.kibana.store.objects["index-pattern", FINDINGS.id]
    assert there["attributes"]["name"] == "my findings"


def test_overwrite_replaces_the_edit(place: Place) -> None:
    place.install()
    place.edit(title="Ours, but better")
    steps = place.install(on_edits="overwrite")
    assert place.changes(steps)["overwrite"] == 1
    there = place.kibana.store.objects["dashboard", OVERVIEW.id]
    assert there["attributes"]["title"] == "elkwatch: overview"
    assert place.changes(place.install()) == {"unchanged": len(ALL)}


def test_an_edit_stays_as_long_as_we_have_nothing_newer(place: Place) -> None:
    place.install()
    place.edit(title="Ours, but better")
    writes = place.kibana.store.writes
    assert place.changes(place.install())["kept"] == 1
    assert place.kibana.store.writes == writes


def test_what_kibana_counts_and_migrates_is_no_edit(place: Place) -> None:
    place.install()
    place.edit(FINDINGS, fieldAttrs='{"rule.name":{"customLabel":"class","count":7}}')
    store = place.kibana.store
    fields = store.objects["index-pattern", FINDINGS.id]["attributes"]
    with pytest.raises(EditsFound):  # a label went missing: that is one
        place.install(_renamed_findings())
    ours = next(one for one in ALL if one.id == FINDINGS.id).attributes
    counted = ours["fieldAttrs"].replace(
        '{"customLabel": "class"', '{"count": 7, "customLabel": "class"'
    )
    assert counted != ours["fieldAttrs"]
    fields["fieldAttrs"] = counted
    store.tabs = True  # Kibana was upgraded: saved searches have tabs now
    search = store.objects["search", "elkwatch-latest-findings"]
    search["updated_at"] = "2026-11-27T00:00:00.000Z"  # and somebody saved one as is
    assert place.changes(place.install()) == {"unchanged": len(ALL)}


def test_an_object_that_people_removed_comes_back(place: Place) -> None:
    place.install()
    del place.kibana.store.objects["dashboard", OVERVIEW.id]
    steps = place.install()
    (created,) = [step for step in steps if step.change == "create"]
    assert (created.key, created.note) == (OVERVIEW, "it was removed here")


def test_what_somebody_else_put_under_our_id_is_not_ours(place: Place) -> None:
    foreign = {
        "type": "index-pattern",
        "id": FINDINGS.id,
        "attributes": {"title": "mine-*"},
    }
    place.kibana.store.put("default", foreign)
    with pytest.raises(EditsFound, match="elkwatch did not install it"):
        place.install()
    place.install(on_edits="keep")
    place.uninstall(force=True)
    assert place.in_space("default") == {("index-pattern", FINDINGS.id)}


def test_a_file_imported_by_hand_is_taken_as_it_is_and_left(place: Place) -> None:
    place.install()
    place.state = InMemoryStateStore()
    assert place.changes(place.install()) == {"unchanged": len(ALL)}
    assert place.uninstall() == ()
    assert len(place.in_space("default")) == len(ALL)


def test_a_second_space_is_installed_updated_and_removed_by_its_ids(
    place: Place,
) -> None:
    place.install()
    place.install(space="ops")
    record = place.store.load("ops")
    assert record is not None
    there = record.where(OVERVIEW)
    assert there != OVERVIEW.id
    assert place.changes(place.install(space="ops")) == {"unchanged": len(ALL)}
    place.install(newer(), space="ops")
    objects = place.kibana.store.objects
    assert objects["dashboard", there]["attributes"]["description"] == "Better."
    update = [r for r in place.kibana.asked if r.path == IMPORT][-1]
    assert there in update.body.decode()
    used = {r["id"] for r in objects["dashboard", there]["references"]}
    assert record.where(FINDINGS) in used
    assert FINDINGS.id not in used
    assert len(place.in_space("ops")) == len(ALL)
    assert place.store.spaces() == ["default", "ops"]
    place.uninstall("ops")
    assert place.in_space("ops") == set()
    assert len(place.in_space("default")) == len(ALL)


def test_uninstall_removes_dashboards_first_and_views_last(place: Place) -> None:
    place.install()
    place.kibana.store.put(
        "default", {"type": "dashboard", "id": "mine", "attributes": {"title": "Mine"}}
    )
    assert all(r.outcome == "would remove" for r in place.uninstall(dry_run=True))
    removed = place.uninstall()
    kinds = [removal.key.type for removal in removed]
    order = ["dashboard"] * 3 + ["search"] + ["index-pattern"] * 3
    assert kinds == order
    assert place.in_space("default") == {("dashboard", "mine")}
    assert place.store.spaces() == []
    assert place.uninstall() == ()


def test_what_is_gone_already_is_done(place: Place) -> None:
    place.install()
    del place.kibana.store.objects["dashboard", OVERVIEW.id]
    outcomes = {r.key: r.outcome for r in place.uninstall()}
    assert outcomes.pop(OVERVIEW) == "was gone"
    assert place.store.spaces() == []
    assert set(outcomes.values()) == {"removed"}


def test_uninstall_refuses_to_take_work_of_people_along(place: Place) -> None:
    place.install()
    place.edit(title="Ours, but better")
    mine = {
        "type": "lens",
        "id": "mine",
        "attributes": {"title": "My chart"},
        "references": [{"name": "x", "type": "index-pattern", "id": FINDINGS.id}],
    }
    place.kibana.store.put("default", mine)
    with pytest.raises(EditsFound) as raised:
        place.uninstall()
    assert raised.value.objects == (
        f"{OVERVIEW} was edited",
        "lens 'My chart' is built upon it",
    )
    assert len(place.in_space("default")) == len(ALL) + 1
    place.uninstall(force=True)
    assert place.in_space("default") == {("lens", "mine")}


def test_what_other_spaces_share_is_left_and_remembered(place: Place) -> None:
    place.install()
    place.kibana.store.objects["index-pattern", FINDINGS.id]["namespaces"].append("ops")
    outcomes = {r.key: r.outcome for r in place.uninstall()}
    assert outcomes[FINDINGS] == "shared"
    record = place.store.load("default")
    assert record is not None
    assert [one.key for one in record.objects] == [FINDINGS]


def test_a_space_that_was_removed_took_everything_along(place: Place) -> None:
    place.install(space="ops")
    place.kibana.spaces.remove("ops")
    assert {r.outcome for r in place.uninstall("ops")} == {"was gone"}
    assert place.store.spaces() == []


def test_uninstall_cut_off_in_the_middle_goes_on_later(place: Place) -> None:
    place.install()
    path = f"/api/saved_objects/index-pattern/{FINDINGS.id}"
    place.kibana.trouble[path] = Trouble(503)
    with pytest.raises(KibanaTooBusy):
        place.uninstall()
    place.kibana.trouble.clear()
    left = place.uninstall()
    assert {removal.key.type for removal in left} == {"index-pattern"}
    assert place.in_space("default") == set()


def test_success_false_names_each_object_and_remembers_what_is_there(
    place: Place,
) -> None:
    untitled = tuple(
        replace(one, attributes={**one.attributes, "title": ""})
        if one.id == OVERVIEW.id
        else one
        for one in ALL
    )
    with pytest.raises(ImportFailed) as raised:
        place.install(untitled)
    (problem,) = raised.value.problems
    assert problem.startswith(f"{OVERVIEW}: was refused: [attributes.title]")
    assert f"{len(ALL) - 1} of {len(ALL)} objects were imported" in str(raised.value)
    place.uninstall()
    assert place.in_space("default") == set()


def test_a_conflict_leaves_nothing_to_remove(place: Place) -> None:
    place.install(space="ops")
    place.state = InMemoryStateStore()  # the record was lost
    place.install()  # takes … in the default space, since ops has the ids
    copy = place.store.load("default")
    assert copy is not None
    place.state = InMemoryStateStore()
    with pytest.raises(ImportFailed, match=r"exists already as [0-9a-f-]{36}"):
        place.install()
    assert place.store.spaces() == []
    place.install(on_edits="overwrite")
    again = place.store.load("default")
    assert again is not None
    assert again.where(OVERVIEW) == copy.where(OVERVIEW)


def test_an_import_whose_answer_was_lost_is_recognised(place: Place) -> None:
    place.kibana.lost.add(IMPORT)
    with pytest.raises(KibanaUnreachable):
        place.install()
    place.kibana.lost.clear()
    assert place.changes(place.install()) == {"unchanged": len(ALL)}
    record = place.store.load("default")
    assert record is not None
    assert all(one.seen and not one.pending for one in record.objects)
    place.uninstall()
    assert place.in_space("default") == set()


def test_without_a_copy_what_was_sent_tells_an_edit(place: Place) -> None:
    place.kibana.trouble[EXPORT] = Trouble(200, "")
    place.install()
    place.kibana.trouble.clear()
    place.edit(title="Ours, but better")
    with pytest.raises(EditsFound, match=r"elkwatch-overview was edited"):
        place.uninstall()


def test_without_a_copy_the_ids_of_a_second_space_are_no_edit(place: Place) -> None:
    place.install()
    place.kibana.trouble[EXPORT] = Trouble(200, "")
    place.install(space="ops")
    place.kibana.trouble.clear()
    assert place.changes(place.install(space="ops")) == {"unchanged": len(ALL)}
    assert {r.outcome for r in place.uninstall("ops")} == {"removed"}


def test_a_source_that_left_the_configuration_is_removed_too(place: Place) -> None:
    place.install()
    place.install(build_objects())
    removed = [r.key.id for r in place.uninstall()]
    assert SourceView("shop", "logs-shop-*").id in removed


def _renamed_findings() -> tuple[SavedObject, ...]:
    return tuple(
        replace(one, attributes={**one.attributes, "name": "elkwatch's findings"})
        if one.id == FINDINGS.id
        else one
        for one in ALL
    )
