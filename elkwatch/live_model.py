"""The model of a source on disk: noticed when another takes its place.

Each round looks at the version in the manifest, and at the classes that people name or
take on. What is new is loaded whole before it is used; what cannot be loaded is told of
once, and the old model goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from elkwatch.errors import ElkwatchError
from elkwatch.program_log import get_logger
from model import Classifier, ModelError, bundle_version, names_stamp

_log = get_logger("elkwatch.live_model")


class LiveModel:
    """The bundle that a source names. `load` reads it as `run` did at its start."""

    def __init__(self, folder: Path, load: Callable[[], Classifier]) -> None:
        self._folder = folder
        self._load = load
        self._refused: object = None
        self._names = names_stamp(folder)

    @property
    def is_there(self) -> bool:
        """Whether a bundle stands there now."""
        return bundle_version(self._folder) is not None

    def other_than(self, version: str) -> Classifier | None:
        """The model that stands there now, if it is another and can be used.

        Or the same, where its classes were named anew or more were taken on.
        """
        there, names = bundle_version(self._folder), names_stamp(self._folder)
        same = there == version and names == self._names
        if there is None or same or (there, names) == self._refused:
            return None
        try:
            loaded = self._load()
        except (ModelError, ElkwatchError) as error:
            if bundle_version(self._folder) == there:  # not one that just came
                self._refused = there, names
                _log.warning("new model left out", version=there, reason=str(error))
            return None
        if loaded.model.version != there or bundle_version(self._folder) != there:
            return None  # exchanged while it was read: the next round looks again
        self._refused, self._names = None, names
        return loaded
