"""Every message that a failure can end with, read out of the program itself.

A message is what, where and how to mend it; what stands after its last semicolon or
colon is the cure. The texts come from the source code, so none can be forgotten and
none can be old; `…` stands for what is filled in.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

_TREES = (
    ("elkwatch.errors", "ElkwatchError", "elkwatch"),
    ("elkwatch.engine.errors", "EngineError", "The engine of demo and tests"),
    ("connector.errors", "ConnectorError", "Elasticsearch"),
    ("model.errors", "ModelError", "The model"),
    ("alerting.errors", "AlertingError", "Alerting"),
    ("alerting.errors", "DeliveryError", "Delivering messages"),
    ("kibana.errors", "KibanaError", "Kibana"),
    ("elkwatch.proposals.survey", "NoSource", "What `init` proposes no source for"),
    ("alerting.messages.sandbox", "TooMuchError", "Message files that are not used"),
)
# Where a ValueError says why: its text stands within the message of another error.
_REASONS = (
    *("alerting.config", "connector.timestamps", "kibana.check.kql"),
    "elkwatch.doctor.certificates",
)
_PACKAGES = ("elkwatch", "connector", "model", "alerting", "kibana")

_USAGE = "elkwatch.UsageError"
_CONFIGURATION = "elkwatch.ConfigError"
_REASON = "a reason"

_INTRODUCTION = """\
# Every error, and its cure

<!-- Read out of the source code: `make docs`. -->

A command that fails prints one line on standard error: what went wrong, where, and how
to mend it. `--debug` before or after any command shows the traceback too. Exit codes: 0
done, 1 the work failed, 2 wrong usage or configuration, 130 stopped by Ctrl-C.

`…` stands for what is filled in. **Passes by itself** means that the service tries it
again on its own; nothing is lost meanwhile.
"""


@dataclass(frozen=True, slots=True)
class Told:
    """One message: the class it is raised as, its text, with `…` for what varies."""

    error: str
    text: str


def errors_page() -> str:
    """The whole page, Markdown."""
    told = sorted(set(_told()), key=lambda t: (t.error, t.text))
    parts = [_INTRODUCTION]
    for module_name, root, title in _TREES:
        kinds = _tree(module_name, root)
        sections = [_section(kind, told) for kind in kinds]
        written = [section for section in sections if section]
        if written:
            parts.append(f"## {title}\n")
            parts += written
    parts.append(f"## Wrong usage\n\n{_listed(told, _USAGE)}\n")
    parts.append(
        "## Reasons within a message\n\nThese stand in the place of an `…` above, or "
        f"in a line of `doctor` or `dashboards check`.\n\n{_listed(told, _REASON)}\n"
    )
    return "\n".join(parts)


def _listed(told: list[Told], error: str) -> str:
    return "\n".join(f"- {t.text}" for t in told if t.error == error)


def _tree(module_name: str, root: str) -> list[type[BaseException]]:
    """The classes of an error tree, in the order of their module."""
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError:
        return []
    top: type[BaseException] = getattr(module, root)
    classes = [kind for kind in vars(module).values() if inspect.isclass(kind)]
    return [
        kind
        for kind in classes
        if issubclass(kind, top) and kind.__module__ == module_name
    ]


def _section(kind: type[BaseException], told: list[Told]) -> str:
    texts = [t.text for t in told if t.error == _called(kind)]
    if not texts:
        return ""
    about = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
    passes = " **Passes by itself.**" if getattr(kind, "recoverable", False) else ""
    items = "\n".join(f"- {text}" for text in texts)
    return f"### {kind.__name__}\n\n{about}{passes}\n\n{items}\n"


def _called(kind: type[BaseException]) -> str:
    """`ConfigError` is the name of two errors; the package tells them apart."""
    return f"{kind.__module__.split('.')[0]}.{kind.__name__}"


def _told() -> Iterator[Told]:
    names = {
        kind.__name__ for module, root, _ in _TREES for kind in _tree(module, root)
    }
    for package in _PACKAGES:
        for path in _files(importlib.import_module(package)):
            yield from _in_file(path, package, names)


def _files(package: ModuleType) -> Iterator[Path]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        spec = found.module_finder.find_spec(found.name, None)
        if spec is not None and spec.origin is not None:
            yield Path(spec.origin)


def _in_file(path: Path, package: str, names: set[str]) -> Iterator[Told]:
    tree = ast.parse(path.read_text("utf-8"))
    owners = _imported(tree, package)
    written = {d.name: d for d in ast.walk(tree) if isinstance(d, ast.FunctionDef)}
    values = package == "elkwatch" and path.parent.name == "config"
    reasons = any(path.match(f"{m.replace('.', '/')}.py") for m in _REASONS)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = _name(node)
        if name == "UsageError":
            error = _USAGE
        elif name == "ValueError" and values:
            error = _CONFIGURATION
        elif name == "ValueError" and reasons:
            error = _REASON
        elif name in names:
            error = f"{owners.get(name, package)}.{name}"
        else:
            continue
        for text in _texts(node.args[0], written):
            if len(re.findall(r"[a-z]{2,}", text)) > 1:
                yield Told(error, _shown(text))


def _name(call: ast.Call) -> str:
    return str(getattr(call.func, "id", None) or getattr(call.func, "attr", ""))


def _texts(node: ast.expr, written: Mapping[str, ast.FunctionDef]) -> Iterator[str]:
    """What an expression may say; of a function of the same file, each of its texts."""
    text = _text(node)
    if text is not None:
        yield text
    elif isinstance(node, ast.Call) and _name(node) in written:
        for inner in ast.walk(written[_name(node)]):
            if isinstance(inner, ast.Return) and inner.value is not None:
                yield from filter(None, [_text(inner.value)])


def _imported(tree: ast.AST, package: str) -> dict[str, str]:
    """Which package each imported name comes from."""
    owners = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                owners[alias.asname or alias.name] = node.module.split(".")[0]
    return owners


def _text(node: ast.expr) -> str | None:
    """The text of an expression, `…` for what varies; None where it is no text."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_text(v) or "…" for v in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return (_text(left) or "…") + (_text(right) or "…")
    return None


def _shown(text: str) -> str:
    text = " ".join(text.split())
    while "……" in text:
        text = text.replace("……", "…")
    return text.replace("<", "&lt;").replace("|", "&#124;").replace("*", "\\*")
