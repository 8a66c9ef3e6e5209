import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.events import EncodedSession
from model.network import NetworkConfig, NextEventLSTM
from model.surprise import SEGMENT, expectations, surprises

CPU = torch.device("cpu")
SIZE = 12


def network() -> NextEventLSTM:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return NextEventLSTM(NetworkConfig(SIZE, embedding=8, hidden=16)).eval()


ids = st.lists(st.integers(4, SIZE - 1), min_size=1, max_size=30).map(tuple)


@settings(deadline=None, max_examples=25)
@given(st.lists(ids, min_size=1, max_size=8))
def test_batched_equals_one_by_one(sequences: list[tuple[int, ...]]) -> None:
    net = network()
    sessions = [EncodedSession(s) for s in sequences]
    together = surprises(net, sessions, CPU)
    for session, batched in zip(sessions, together, strict=True):
        (alone,) = surprises(net, [session], CPU)
        assert np.allclose(batched.nats, alone.nats, atol=1e-5)
        for event in {*batched.expected, *alone.expected}:
            ours, theirs = (s.expected.get(event, 0.5) for s in (batched, alone))
            assert np.isclose(ours, theirs, atol=1e-4)
        assert np.allclose(batched.hidden, alone.hidden, atol=1e-5)


def test_nats_are_minus_log_p_of_each_event() -> None:
    net = network()
    session = EncodedSession((4, 5, 6))
    (found,) = surprises(net, [session], CPU)
    assert found.nats.shape == (4,)
    logits, _, _ = net(torch.tensor([[2, 4, 5, 6]]))
    log_p = torch.log_softmax(logits[0], dim=-1)
    wanted = -log_p[torch.arange(4), torch.tensor([4, 5, 6, 3])]
    assert np.allclose(found.nats, wanted.detach().numpy(), atol=1e-5)
    assert found.highest == found.nats.max()


def test_open_bounds_are_not_judged() -> None:
    (found,) = surprises(network(), [EncodedSession((4, 5), False, False)], CPU)
    assert found.nats[0] == 0
    assert found.nats[-1] == 0
    assert found.nats[1] > 0


def test_long_sessions_run_in_segments_that_carry_the_state() -> None:
    net = network()
    rng = np.random.default_rng(0)
    long = tuple(int(i) for i in rng.integers(4, SIZE, SEGMENT + 100))
    (found,) = surprises(net, [EncodedSession(long)], CPU)
    logits, _, _ = net(torch.tensor([[2, *long]]))
    log_p = torch.log_softmax(logits[0], dim=-1)
    wanted = -log_p[torch.arange(len(long) + 1), torch.tensor([*long, 3])]
    assert np.allclose(found.nats, wanted.detach().numpy(), atol=1e-4)


def test_expectations_are_probabilities_the_likeliest_first() -> None:
    session = EncodedSession((4, 5, 6))
    (found,) = expectations(network(), [session], [[0, 3]], CPU, top=3)
    for likely in found:
        chances = [p for _, p in likely]
        assert chances == sorted(chances, reverse=True)
        assert 0 < sum(chances) <= 1
        assert {event for event, _ in likely}.isdisjoint({0, 2})
