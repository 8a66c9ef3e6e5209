"""People's own names of classes, kept in the bundle for the next run and training."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from model.bundle import load_bundle
from model.bundle_lineage import write_lineage
from model.errors import ModelError
from model.lineage import check_name


def rename_class(folder: Path, class_id: str, name: str, *, now: datetime) -> str:
    """Gives a class of a bundle a name of people's own; → the name as it is kept.

    The model and its version stay as they are. Raises BundleError for a bundle that
    cannot be read or written, ModelError for an unknown class or an unfit name.
    """
    model = load_bundle(folder)
    ids = [known.class_id for known in model.known_classes]
    if class_id not in ids:
        raise ModelError(
            f"model {folder}: no class {class_id}; it has {', '.join(ids) or 'none'}"
        )
    try:
        shown = check_name(name)
    except ValueError as error:
        raise ModelError(f"{class_id}: {error}; choose another") from error
    lineage = model.full_lineage.renamed(class_id, shown, now)
    write_lineage(lineage, folder)
    return shown
