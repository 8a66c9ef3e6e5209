"""Formulas: what runs are the stored helpers, so they must say what the text says.

Kibana parses the text at view time for its form only. A helper or a tree that differs
gives wrong numbers without any message. Formulas of elkwatch are arithmetic over calls,
which Python's own parser reads too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from kibana.check.defect import Spot

Columns = Mapping[str, Mapping[str, Any]]

_SIGNS: Mapping[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
}


def check_formula(
    column_id: str, column: Mapping[str, Any], columns: Columns, spot: Spot
) -> None:
    """The text of a formula against its helpers, one by one."""
    params = column.get("params")
    params = params if isinstance(params, dict) else {}
    spot.need(params.get("isFormulaBroken") is False, "isFormulaBroken must be false")
    text = spot.text(params.get("formula"), "formula")
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        spot.tell("formula cannot be read")
        return
    names = (f"{column_id}X{i}" for i in range(1000))
    wanted = _parts(tree, names)
    if not spot.need(
        wanted is not None,
        "formula holds what is not arithmetic over sum(…), count() …",
    ):
        return
    assert wanted is not None
    operations, shape = wanted
    for helper, operation, field in operations:
        stored = columns.get(helper, {})
        spot.need(
            stored.get("operationType") == operation
            and stored.get("sourceField", "") == field,
            f"helper {helper} must be {operation} of {field}",
        )
    last = next(names) if not isinstance(shape, str) else shape
    spot.need(
        column.get("references") == [last],
        f"references must be [{last}], or the value is empty",
    )
    if not isinstance(shape, str):
        _check_math(columns.get(last, {}), shape, [o[0] for o in operations], spot)


def _check_math(
    stored: Mapping[str, Any], shape: Any, helpers: list[str], spot: Spot
) -> None:
    params = stored.get("params")
    tree = params.get("tinymathAst") if isinstance(params, dict) else None
    spot.need(stored.get("operationType") == "math", "the last helper must be math")
    spot.need(_bare(tree) == shape, "tinymathAst is not what the formula says")
    spot.need(stored.get("references") == helpers, f"math must refer to {helpers}")


def _parts(
    tree: ast.expr, names: Iterator[str]
) -> tuple[list[tuple[str, str, str]], Any] | None:
    """Helpers in order (id, operation, field), and the tree over their ids."""
    match tree:
        case ast.Call(func=ast.Name(id=operation), args=args, keywords=[]):
            field = ast.unparse(args[0]) if args else "___records___"
            name = next(names)
            return [(name, operation, field)], name
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _SIGNS:
            first, second = _parts(left, names), _parts(right, names)
            if first is None or second is None:
                return None
            shape = {
                "type": "function",
                "name": _SIGNS[type(sign)],
                "args": [first[1], second[1]],
            }
            return first[0] + second[0], shape
        case ast.Constant(value=int() | float() as number):
            return [], number
    return None


def _bare(tree: Any) -> Any:
    """A stored tree without what Kibana adds: positions and texts."""
    if not isinstance(tree, dict):
        return tree
    args = tree.get("args")
    return {
        "type": tree.get("type"),
        "name": tree.get("name"),
        "args": [_bare(a) for a in args] if isinstance(args, list) else args,
    }
