"""Fixtures of the alerting tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.alerting.servers import Certificates, make_certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder: Path = tmp_path_factory.mktemp("certificates")
    return make_certificates(folder)
