"""Text out of a cluster, made safe for a terminal and for a comment in YAML.

Names of fields and indices and texts of messages are data: a control character in one
must not move a cursor, and a line end must not end a comment.
"""

from __future__ import annotations

import yaml

_LONGEST = 160


def shown(text: str, longest: int = _LONGEST) -> str:
    """One printable line; what is not printable is escaped, what is too long is cut."""
    plain = "".join(
        c if c.isprintable() else c.encode("unicode_escape", "replace").decode()
        for c in text[: longest + 1]
    )
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def scalar(text: str) -> str:
    """A YAML scalar that reads back as exactly this text, on one line."""
    for style in (None, "'", '"'):
        written: str = yaml.safe_dump(
            [text],
            default_flow_style=True,
            default_style=style,
            allow_unicode=False,
            width=1 << 20,
        )
        inner = written.strip()[1:-1]
        if "\n" not in inner and yaml.safe_load(inner) == text:
            return inner
    raise ValueError(f"no YAML scalar for {text!r}")
