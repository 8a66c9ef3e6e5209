"""How far from its exemplars a class reaches."""

import numpy as np

from model.features import Matrix
from model.kinds import MIN_RADIUS, choose_exemplars, near_enough


def turned(degrees: float, axis: int = 1) -> Matrix:
    """A unit vector (4,) turned away from the first axis."""
    row = np.zeros(4, dtype=np.float32)
    row[[0, axis]] = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return row


def test_equal_members_do_not_make_their_like_unknown() -> None:
    taught = np.stack([turned(0)] * 9 + [turned(5)] * 9)
    own = np.zeros(len(taught), dtype=np.int64)
    told = choose_exemplars(taught, own, 1)
    assert told[2][0] == np.float32(MIN_RADIUS), "each has an equal beside it"
    like, other = turned(24), turned(60, axis=2)  # .055 away, and .5
    assert near_enough(np.stack([like, other]), *told).tolist() == [[True], [False]]
