"""Which tests of the engine run where."""

from __future__ import annotations

import os

import pytest

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs as another user")
