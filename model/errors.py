"""What can go wrong in the model, as one tree.

    ModelError
    ├── BundleError        a bundle folder that is missing, damaged or does not fit
    ├── MaskError          a mask that does not compile or would mask everything
    ├── LabelError         a labels file that cannot be used
    ├── TrainingError      logs that cannot be trained on
    ├── CatalogueError     a class catalogue that cannot be used
    ├── DetectorError      a detector that there is not, or that cannot be read
    ├── CheckpointError    a checkpoint that cannot be used, or is of another training
    ├── SettingError       a setting of a training that is none, or has no such value
    ├── SpoolError         no room on disk for the sessions of large logs
    ├── OutOfMemoryError   not even the smallest part of the work has room
    └── DeviceError        a device that is not there

Every message is one line: what is wrong, where, how to mend it. `exit_code` is what a
command ends with: 1 the work failed, 2 the command line or configuration is wrong.
"""


class ModelError(Exception):
    """Base of all errors of this package; its text is one line for a person."""

    recoverable = False
    exit_code = 1


class BundleError(ModelError):
    """A model bundle is missing, damaged, or of another version."""


class MaskError(ModelError):
    """A mask does not compile, or hides the whole message."""

    exit_code = 2


class LabelError(ModelError):
    """A labels file is not readable or holds a label that is not allowed."""


class TrainingError(ModelError):
    """There is nothing that could be trained on."""


class CatalogueError(ModelError):
    """The class catalogue (YAML) is not usable."""

    exit_code = 2


class DeviceError(ModelError):
    """A device was asked for that this machine does not have."""

    exit_code = 2


class DetectorError(ModelError):
    """A detector of that name is not known, or its files cannot be used."""


class CheckpointError(ModelError):
    """A checkpoint is damaged, or of other logs or another configuration."""


class OutOfMemoryError(ModelError):
    """There is no memory left for the smallest part of the work."""


class SettingError(ModelError):
    """A setting of a training is unknown or has a value that it cannot have."""

    exit_code = 2


class SpoolError(ModelError):
    """There is no room on disk for sessions that do not fit into memory."""
