"""The class catalogue with its advice, from the YAML that elkwatch itself reads."""

from __future__ import annotations

from model.catalogue import Entry, load_catalogue

_INTRODUCTION = """\
# Kinds of trouble, and what to do

<!-- Written from model/catalogue/*.yml: `make docs`. -->

Every finding has a *pattern*, one of the built-in kinds below, decided from features
that can be explained. Where the marked lines are well known (a SQL state, a full disk,
a killed process) a rule gives the more specific name and advice. Classes that elkwatch
found by itself or was taught have their own names and take the advice that fits best.

Names, severities, causes and advice can be changed and added in a YAML file of your own
(configuration: `catalogue`) with the sections `patterns`, `rules` and `classes`, in the
same form as the built-in files; English and Chinese stand side by side. Your rules are
asked first; of several well-known lines in one session the most severe names it. How
kinds are found and keep their names: [kinds.md](kinds.md).
"""


def classes_page() -> str:
    """The whole page, Markdown."""
    catalogue = load_catalogue()
    parts = [_INTRODUCTION, "## Built-in kinds\n"]
    parts += [_section(entry) for entry in catalogue.patterns.values()]
    parts.append("## Well-known lines\n")
    parts += [_section(rule.entry, rule.pattern) for rule in catalogue.rules]
    return "\n".join(parts)


def _section(entry: Entry, pattern: str = "") -> str:
    told, chinese = entry.told_in("en"), entry.told_in("zh")
    lines = [
        f"### {told.name} ({chinese.name})",
        "",
        f"`{entry.entry_id}` · severity **{told.severity}**",
        "",
    ]
    if pattern:
        lines += [f"Recognised by `{pattern}`.", ""]
    lines += [f"- {cause}" for cause in told.causes if cause]
    lines += ["", f"**What to do.** {told.advice}", ""]
    return "\n".join(lines)
