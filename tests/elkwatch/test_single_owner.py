"""The four import names are generic: nobody else may own them in this environment."""

from __future__ import annotations

from importlib.metadata import packages_distributions

import pytest

from elkwatch.doctor.machine import OWN_PACKAGES, foreign_owners


@pytest.mark.parametrize("name", OWN_PACKAGES)
def test_the_import_name_has_one_owner(name: str) -> None:
    assert "elkwatch" in packages_distributions().get(name, [])
    assert not foreign_owners(name), (
        f"{name} is also installed by {foreign_owners(name)}: whichever comes first "
        "on the path would be imported; use an environment of elkwatch's own"
    )


def test_a_second_owner_is_found() -> None:
    owners = {"model": ["elkwatch", "model-zoo"]}
    assert foreign_owners("model", owners) == {"model-zoo"}
    assert foreign_owners("kibana", owners) == set()
