"""The four import names are generic: nobody else may own them in this environment."""

from __future__ import annotations

from importlib.metadata import packages_distributions

import pytest


@pytest.mark.parametrize("name", ["connector", "model", "alerting", "kibana"])
def test_the_import_name_has_one_owner(name: str) -> None:
    owners = set(packages_distributions().get(name, []))
    assert owners == {"elkwatch"}, (
        f"{name} is also installed by {owners - {'elkwatch'}}: whichever comes first "
        "on the path would be imported; use an environment of elkwatch's own"
    )
