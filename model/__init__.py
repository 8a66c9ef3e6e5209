"""Enhanced DeepLog: from log events to verdicts. Knows no Elasticsearch, no alerts.

    LogEvent … ─▶ Session ─▶ event ids ─▶ network + support ─▶ Verdict

What stands in `__all__` is what other packages may use. Importing it takes a second:
it loads torch.
"""

from model.alarm_budget import (
    Budgeted,
    Share,
    sessions_a_day,
    share_of,
    threshold_within,
)
from model.bundle import load_bundle, put_report, save_bundle
from model.bundle_folder import check_bundle_target, read_manifest
from model.bundle_lineage import names_stamp, read_lineage
from model.bundle_shelf import (
    Shelved,
    bundle_version,
    candidate_folder,
    promote,
    roll_back,
    shelf,
)
from model.catalogue import Advice, Catalogue, check_catalogue, load_catalogue
from model.checkpoint import Checkpoint
from model.chosen_detector import (
    DetectorChoice,
    FittedDetectors,
    check_detectors,
    detectors_of,
    fit_detectors,
    with_detectors,
)
from model.classify import Classifier
from model.comparison import Judged, compare
from model.detector_figures import DetectorRow, FitLogs, judge_detectors
from model.detectors.cleaning import is_severe
from model.detectors.registry import ENTRIES as DETECTORS
from model.detectors.standing import Rule
from model.devices import choose_device, mixed_precision
from model.errors import (
    BundleError,
    CatalogueError,
    CheckpointError,
    DetectorError,
    DeviceError,
    LabelError,
    MaskError,
    ModelError,
    OutOfMemoryError,
    SettingError,
    SpoolError,
    TrainingError,
)
from model.evaluate import Evaluation, evaluate
from model.events import (
    EPOCH,
    LogEvent,
    Session,
    group_sessions,
    in_order,
    unit_key,
    window_start,
)
from model.growing import GrowingScores
from model.labels import NO_LABELS, Labels, check_kind, read_labels
from model.late_classes import LateClass
from model.late_discovery import (
    LateFound,
    Strange,
    accept_late,
    discover_late,
    tell_relabelled,
)
from model.lineage import Change, Lineage, Remembered
from model.precision import FULL, PRECISIONS
from model.progress import Progress, Step
from model.prototypes import Prototype, likeness, prototype_of
from model.rates import NO_RATES, Rates
from model.renaming import rename_class
from model.session_spool import spool_sessions
from model.settings import setting_names, with_settings
from model.spell import Spell
from model.spells import RATE_FACTOR, Watch, WatchRules
from model.synthetic import Drawn, draw_sessions
from model.template_watch import LineRate
from model.templates.frozen import FrozenTemplates, Template
from model.templates.masks import Mask, parse_masks
from model.templates.miner import MinerConfig, TemplateMiner
from model.templates.reduction import MAX_CHARS
from model.tracker import Arrival, Candidate, SessionTracker, TrackerLimits
from model.trained import ModelClass, TrainedModel
from model.training import train
from model.training_config import TrainingConfig, is_held_out
from model.verdicts import Evidence, Verdict
from model.vocabulary import UNK, UNSEEN

__all__ = [
    "DETECTORS",
    "EPOCH",
    "FULL",
    "MAX_CHARS",
    "NO_LABELS",
    "NO_RATES",
    "PRECISIONS",
    "RATE_FACTOR",
    "UNK",
    "UNSEEN",
    "Advice",
    "Arrival",
    "Budgeted",
    "BundleError",
    "Candidate",
    "Catalogue",
    "CatalogueError",
    "Change",
    "Checkpoint",
    "CheckpointError",
    "Classifier",
    "DetectorChoice",
    "DetectorError",
    "DetectorRow",
    "DeviceError",
    "Drawn",
    "Evaluation",
    "Evidence",
    "FitLogs",
    "FittedDetectors",
    "FrozenTemplates",
    "GrowingScores",
    "Judged",
    "LabelError",
    "Labels",
    "LateClass",
    "LateFound",
    "LineRate",
    "Lineage",
    "LogEvent",
    "Mask",
    "MaskError",
    "MinerConfig",
    "ModelClass",
    "ModelError",
    "OutOfMemoryError",
    "Progress",
    "Prototype",
    "Rates",
    "Remembered",
    "Rule",
    "Session",
    "SessionTracker",
    "SettingError",
    "Share",
    "Shelved",
    "Spell",
    "SpoolError",
    "Step",
    "Strange",
    "Template",
    "TemplateMiner",
    "TrackerLimits",
    "TrainedModel",
    "TrainingConfig",
    "TrainingError",
    "Verdict",
    "Watch",
    "WatchRules",
    "accept_late",
    "bundle_version",
    "candidate_folder",
    "check_bundle_target",
    "check_catalogue",
    "check_detectors",
    "check_kind",
    "choose_device",
    "compare",
    "detectors_of",
    "discover_late",
    "draw_sessions",
    "evaluate",
    "fit_detectors",
    "group_sessions",
    "in_order",
    "is_held_out",
    "is_severe",
    "judge_detectors",
    "likeness",
    "load_bundle",
    "load_catalogue",
    "mixed_precision",
    "names_stamp",
    "parse_masks",
    "promote",
    "prototype_of",
    "put_report",
    "read_labels",
    "read_lineage",
    "read_manifest",
    "rename_class",
    "roll_back",
    "save_bundle",
    "sessions_a_day",
    "setting_names",
    "share_of",
    "shelf",
    "spool_sessions",
    "tell_relabelled",
    "threshold_within",
    "train",
    "unit_key",
    "window_start",
    "with_detectors",
    "with_settings",
]
