"""The loop of an `eval` command: generated Python over many rows, with expensive pure expressions memoised.

Cloud logs repeat themselves: an expression over (ARN, type) meets the same inputs thousands of times. A memo maps the
input values to the result and is given up when fewer than half of the look-ups hit.
"""

from __future__ import annotations

from typing import Any, Callable, Optional

from lab.spl import evalcompile
from lab.spl.evalparse import Literal, Node, fields_of
from lab.spl.values import Row

WORTH = 4
PROBATION = 4_000
MOST_ENTRIES = 100_000


class Memo(dict):  # type: ignore[type-arg]
    """Input values → result, counting rows and misses to judge itself."""

    def __init__(self) -> None:
        super().__init__()
        self.misses = 0
        self.rows = 0


class EvalLoop:
    """Compiled assignments (field, expression), applied in order to each row in place."""

    def __init__(self, assignments: list[tuple[str, Node]]) -> None:
        self.assignments = assignments
        self._memos: dict[int, Memo] = {}
        for n, (_, node) in enumerate(assignments):
            if evalcompile.cost(node) >= WORTH and evalcompile.is_pure(node) and 1 <= len(fields_of(node)) <= 6:
                self._memos[n] = Memo()
        self._run: Optional[Callable[[list[Row], float], list[Row]]] = None

    def compile(self) -> Callable[[list[Row], float], list[Row]]:
        """Done by the first run. Raises SplError for what is not understood."""
        code = evalcompile.Code()
        lines = ["def run(rows, now):", "    for r in rows:", "        g = r.get"]
        for n, (name, node) in enumerate(self.assignments):
            memo = self._memos.get(n)
            if memo is None:
                lines.append(f"        v = {code.value(node)}")
            else:
                inputs = [f"g({f!r})" for f in sorted(fields_of(node))]
                key = inputs[0] if len(inputs) == 1 else f"({', '.join(inputs)})"
                held, miss = code.constant(memo), code.constant(_miss)
                fresh = f"{code.constant(evalcompile.compile_value(node))}(g, now)"
                lines += [
                    f"        k = {key}",
                    "        try:",
                    f"            v = {held}[k]",
                    "        except KeyError:",
                    f"            v = {miss}({held}, k, {fresh})",
                    "        except TypeError:  # a multivalue is no key",
                    f"            v = {fresh}",
                ]
            if isinstance(node, Literal):
                lines.append(f"        r[{name!r}] = v")
            else:
                lines += [
                    "        if v is None:",
                    f"            r.pop({name!r}, None)",
                    "        else:",
                    f"            r[{name!r}] = v",
                ]
        exec("\n".join(lines) + "\n    return rows\n", code.names)  # noqa: S102 (source built from a parsed tree)
        return code.names["run"]  # type: ignore[no-any-return]

    def run(self, rows: list[Row], now: float) -> list[Row]:
        if self._run is None:
            self._run = self.compile()
        out = self._run(rows, now)
        for n, memo in list(self._memos.items()):
            memo.rows += len(rows)
            if memo.rows > PROBATION and memo.misses * 2 > memo.rows:
                del self._memos[n]
                self._run = None
            elif len(memo) > MOST_ENTRIES:
                memo.clear()
        return out


def _miss(memo: Memo, key: Any, value: Any) -> Any:
    memo.misses += 1
    memo[key] = value
    return value
