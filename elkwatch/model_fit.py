"""Whether a model knows the lines it is given: told by the share without a template."""

from __future__ import annotations

UNFIT_SHARE = 0.5


def unfit(model: str, unknown_ratio: float) -> str | None:
    """One line for a model that knows no template for most lines; None if it fits.

    unknown_ratio: share of the lines without a template, 0 to 1.
    """
    if unknown_ratio <= UNFIT_SHARE:
        return None
    return (
        f"model {model} does not fit: it knows no template for {unknown_ratio:.0%} of "
        "these lines; train one on logs of this kind, or check the message field"
    )
