"""Conditions on the columns of a data set, such as `ocr_agreement >= 0.9 and language == "en"`."""

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], pc.Expression]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
FORM = 'comparisons such as score >= 0.9, language == "en" or source in ("pdfs", "ocr"), joined by and, or, not'


@dataclass(frozen=True, slots=True)
class Where:
    """A condition on rows. A comparison with a missing value is false, as in SQL.

    Args:
        text: the condition as it was written.
        names: the columns and scores that it names.
        expression: the condition; every name is the field `name` of a table that has these columns.
    """

    text: str
    names: tuple[str, ...]
    expression: pc.Expression

    @staticmethod
    def parse(text: str) -> "Where":
        """Parse a condition. Raises ValueError."""
        names: dict[str, None] = {}
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except SyntaxError as error:
            raise ValueError(f"where: {text!r} is not a condition: {error.msg}; expected {FORM}") from error
        expression = _condition(tree.body, text, names)
        return Where(text, tuple(names), expression)

    def rows(self, table: pa.Table) -> list[int]:
        """Return the numbers of the rows for which the condition is true; the table has all `names`."""
        numbered = table.append_column("__row__", pa.array(range(len(table)), pa.int64()))
        found: list[int] = numbered.filter(self.expression)["__row__"].to_pylist()
        return found


def _condition(node: ast.expr, text: str, names: dict[str, None]) -> pc.Expression:
    if isinstance(node, ast.BoolOp):
        parts = [_condition(value, text, names) for value in node.values]
        joined = parts[0]
        for part in parts[1:]:
            joined = joined & part if isinstance(node.op, ast.And) else joined | part
        return joined
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ~_condition(node.operand, text, names)
    if isinstance(node, ast.Compare):
        parts = []
        left = node.left
        for comparison, right in zip(node.ops, node.comparators, strict=True):
            parts.append(_comparison(left, comparison, right, text, names))
            left = right
        joined = parts[0]
        for part in parts[1:]:
            joined = joined & part
        return joined
    raise ValueError(f"where: {ast.unparse(node)!r} in {text!r} is not a condition; expected {FORM}")


def _comparison(left: ast.expr, kind: ast.cmpop, right: ast.expr, text: str, names: dict[str, None]) -> pc.Expression:
    if isinstance(kind, ast.In | ast.NotIn):
        try:
            values = ast.literal_eval(right)
            options = pa.array(list(values)) if not isinstance(values, str) else None
        except (ValueError, TypeError, pa.ArrowInvalid):
            options = None
        if options is None:
            raise ValueError(f"where: {ast.unparse(right)!r} in {text!r} must be a list of values of one type")
        found = _operand(left, text, names).isin(options)
        return ~found if isinstance(kind, ast.NotIn) else found
    if type(kind) not in _COMPARISONS:
        raise ValueError(f"where: {text!r}: `is` does not compare values; expected {FORM}")
    return _COMPARISONS[type(kind)](_operand(left, text, names), _operand(right, text, names))


def _operand(node: ast.expr, text: str, names: dict[str, None]) -> pc.Expression:
    if isinstance(node, ast.Name):
        names[node.id] = None
        return pc.field(node.id)
    try:
        value = ast.literal_eval(node)
    except ValueError:
        value = None
    if isinstance(value, str | bool | int | float):
        return pc.scalar(value)
    raise ValueError(f"where: {ast.unparse(node)!r} in {text!r} is neither a name nor a value; expected {FORM}")
