from datetime import UTC, datetime

from elkwatch.model_drift import FEWEST, Batch, Drift, Promise

PROMISE = Promise(0.01, 0.0)


def fed(*batches: Batch) -> Drift:
    drift = Drift("v1", PROMISE)
    for batch in batches:
        drift.take(batch)
    return drift


def test_a_few_sessions_prove_nothing() -> None:
    assert not fed(Batch(FEWEST - 1, FEWEST - 1, 0)).outdated
    assert not fed(Batch(100, 35, 0)).outdated
    assert fed(Batch(100, 42, 0)).outdated


def test_what_training_promised_is_the_measure() -> None:
    loose = Drift("v1", Promise(0.2, 0.0))
    loose.take(Batch(100, 55, 0))
    assert not loose.outdated
    loose.take(Batch(100, 95, 0))
    loose.take(Batch(400, 390, 0))
    assert loose.outdated


def test_trouble_in_a_quarter_of_the_sessions_is_trouble() -> None:
    assert not fed(*[Batch(100, 25, 25)] * 4).outdated


def test_sessions_with_new_lines_are_enough() -> None:
    drift = fed(Batch(100, 0, 42))
    assert drift.outdated
    assert "no template" in drift.reason
    assert "42 of the last 100" in drift.reason


def test_the_state_ends_well_below_where_it_began() -> None:
    drift, states = Drift("v1", PROMISE), []
    for flagged in (110, 200, 80, 40, 110):
        drift.take(Batch(400, flagged, 0))
        states.append(drift.outdated)
    assert states == [False, True, True, False, False]


def test_it_is_kept_over_a_restart_but_not_over_a_training() -> None:
    drift = fed(Batch(400, 200, 3))
    again = Drift("v1", PROMISE).restored(drift.state())
    assert again == drift
    newer = Drift("v2", PROMISE).restored(drift.state())
    assert not newer.outdated
    assert newer.told, "that the older one was out of date may be known"
    assert not Drift("v1", PROMISE).restored({}).outdated


def test_memory_is_bounded() -> None:
    drift = fed(*[Batch(10, 0, 0)] * 1000)
    assert sum(batch.judged for batch in drift.batches) <= 410


def test_what_people_know_outlives_a_training() -> None:
    began = datetime(2026, 11, 26, 3, tzinfo=UTC)
    drift = Drift("v1", PROMISE)
    drift.take(Batch(400, 200, 3), began)
    drift.told = True
    newer = Drift("v2", PROMISE).restored(drift.state())
    assert (newer.outdated, newer.told, newer.since) == (False, True, began)
    fits = [newer.fits]
    newer.take(Batch(FEWEST, 0, 0), began)
    assert [*fits, newer.fits] == [False, True]
    assert Drift("v1", PROMISE).restored(drift.state()).since == began
