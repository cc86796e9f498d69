"""Read Splunk .conf files: stanzas, continuation lines, default + local merge, and where each key came from.

Source: https://docs.splunk.com/Documentation/Splunk/9.4.0/Admin/Attributeprecedencewithinafile and
https://docs.splunk.com/Documentation/Splunk/9.4.0/Admin/Howtoeditaconfigurationfile
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, Optional

from lab.errors import LabError

GLOBAL_STANZAS = ("default", "global")
TRUE_WORDS = frozenset({"1", "true", "t", "yes", "y", "on"})
FALSE_WORDS = frozenset({"0", "false", "f", "no", "n", "off"})


@dataclass
class Stanza:
    """One merged stanza: `settings` maps key to text, `places` maps key to (file, line)."""

    name: str
    file: Path
    settings: dict[str, str] = field(default_factory=dict)
    places: dict[str, tuple[Path, int]] = field(default_factory=dict)

    def get(self, key: str, default: str = "") -> str:
        return self.settings.get(key, default)

    def line(self, key: str) -> int:
        """Line of `key` in its file; 0 when the key is not set."""
        return self.places[key][1] if key in self.places else 0

    def boolean(self, key: str, default: bool = False) -> bool:
        text = self.settings.get(key)
        if text is None or not text.strip():
            return default
        word = text.strip().lower()
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        raise self.error(key, f"{key} = {text} is not a boolean. Use 1/0 or true/false.")

    def integer(self, key: str, default: int) -> int:
        text = self.settings.get(key)
        if text is None or not text.strip():
            return default
        try:
            return int(text.strip())
        except ValueError:
            raise self.error(key, f"{key} = {text} is not a whole number.") from None

    def error(self, key: str, message: str) -> LabError:
        file, line = self.places.get(key, (self.file, 0))
        return LabError(message, file, self.name, f"line {line}" if line else None)


@dataclass(frozen=True)
class Macro:
    """A stanza of macros.conf. `args` are the parameter names; `name` is without the ``(n)``."""

    name: str
    args: tuple[str, ...]
    definition: str
    iseval: bool
    validation: str
    errormsg: str
    file: Path
    line: int


_MACRO_NAME = re.compile(r"^(?P<name>[^()\s]+)(?:\((?P<arity>\d+)\))?$")
_MACRO_KEYS = frozenset({"definition", "args", "iseval", "validation", "errormsg", "description", "disabled"})


class AppConf:
    """All confs of one app, default overlaid by local."""

    def __init__(self, app_dir: Path, confs: dict[str, dict[str, Stanza]], name: str) -> None:
        self.app_dir = app_dir
        self.name = name
        self._confs = confs
        self._macros: Optional[dict[tuple[str, int], Macro]] = None

    def conf_names(self) -> list[str]:
        return sorted(self._confs)

    def stanzas(self, conf: str) -> dict[str, Stanza]:
        """The stanzas of `conf` (``"savedsearches"``) by name, without [default]. Empty when there is no such file."""
        return self._confs.get(conf, {})

    def stanza(self, conf: str, name: str) -> Stanza:
        found = self.stanzas(conf).get(name)
        if found is None:
            known = ", ".join(sorted(self.stanzas(conf))[:12]) or "none"
            raise LabError(f"no stanza [{name}]. Known: {known}", f"default/{conf}.conf")
        return found

    @property
    def macros(self) -> dict[tuple[str, int], Macro]:
        """Macros by (name, number of arguments)."""
        if self._macros is None:
            self._macros = {(m.name, len(m.args)): m for m in map(_macro, self.stanzas("macros").values())}
        return self._macros


def _macro(stanza: Stanza) -> Macro:
    unknown = set(stanza.settings) - _MACRO_KEYS
    if unknown:
        key = sorted(unknown)[0]
        raise stanza.error(key, f"unknown macro setting '{key}'. Known: {', '.join(sorted(_MACRO_KEYS))}.")
    match = _MACRO_NAME.match(stanza.name)
    if match is None:
        raise LabError("a macro stanza is named [name] or [name(arity)].", stanza.file, stanza.name)
    args = tuple(a.strip() for a in stanza.get("args").split(",") if a.strip())
    arity = int(match["arity"] or 0)
    if arity != len(args):
        raise stanza.error("args", f"the name promises {arity} argument(s) but args lists {len(args)}.")
    if "definition" not in stanza.settings:
        raise LabError("the macro has no definition.", stanza.file, stanza.name)
    return Macro(
        name=match["name"],
        args=args,
        definition=stanza.get("definition"),
        iseval=stanza.boolean("iseval"),
        validation=stanza.get("validation"),
        errormsg=stanza.get("errormsg"),
        file=stanza.places["definition"][0],
        line=stanza.line("definition"),
    )


def read_conf(path: Path, shown_as: Optional[Path] = None) -> dict[str, Stanza]:
    """Parse one .conf file into its stanzas ([default] included, unmerged).

    A value goes on over a line that ends in a backslash; the line break is kept, the backslash is not.
    Raises LabError (file, stanza, line) for a line that is neither setting, stanza nor comment, for a key set twice
    in a stanza and for a stanza opened twice.
    """
    shown = shown_as or path
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise LabError(f"not UTF-8 text ({problem}).", shown) from None
    stanzas: dict[str, Stanza] = {}
    opened: dict[str, int] = {}
    current: Optional[Stanza] = None
    for number, line in _logical_lines(text):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("["):
            if not stripped.endswith("]"):
                raise LabError(f"a stanza line must end in ']': {stripped}", shown, None, f"line {number}")
            name = stripped[1:-1]
            if name in opened:
                raise LabError(
                    f"the stanza is opened twice (first on line {opened[name]}). Merge the two.",
                    shown,
                    name,
                    f"line {number}",
                )
            opened[name] = number
            current = stanzas[name] = Stanza(name, shown)
            continue
        key, equals, value = line.partition("=")
        key = key.strip()
        if not equals or not key:
            where = current.name if current else None
            raise LabError(
                f"expected 'key = value', a [stanza] or a # comment: {stripped}",
                shown,
                where,
                f"line {number}",
            )
        if current is None:
            current = stanzas["default"] = Stanza("default", shown)
        if key in current.settings:
            first = current.places[key][1]
            raise LabError(f"'{key}' is set twice (first on line {first}).", shown, current.name, f"line {number}")
        current.settings[key] = value.strip()
        current.places[key] = (shown, number)
    return stanzas


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """(line number, text) with continuation lines joined. Comment lines do not continue."""
    pending: list[str] = []
    start = 0
    for number, line in enumerate(text.splitlines(), 1):
        if not pending:
            start = number
            if line.lstrip().startswith("#"):
                continue
        if line.endswith("\\"):
            pending.append(line[:-1])
            continue
        yield start, "\n".join([*pending, line])
        pending = []
    if pending:
        yield start, "\n".join(pending)


def merge(layers: list[dict[str, Stanza]]) -> dict[str, Stanza]:
    """Overlay layers (weakest first), then give every stanza what [default] says and it does not set itself."""
    merged: dict[str, Stanza] = {}
    for layer in layers:
        for name, stanza in layer.items():
            target = merged.setdefault(name, Stanza(name, stanza.file))
            target.settings.update(stanza.settings)
            target.places.update(stanza.places)
    for word in GLOBAL_STANZAS:
        base = merged.pop(word, None)
        if base is None:
            continue
        for stanza in merged.values():
            for key, value in base.settings.items():
                if key not in stanza.settings:
                    stanza.settings[key] = value
                    stanza.places[key] = base.places[key]
    return merged


def load_app(app_dir: Path, local_dir: Optional[Path] = None) -> AppConf:
    """Read `app_dir`/default and, over it, `local_dir` (`app_dir`/local when none is given).

    Confs are read on the spot, so that every fault in any of them shows at once rather than at first use.
    """
    app_dir = Path(app_dir)
    if not (app_dir / "default").is_dir():
        raise LabError(f"{app_dir} is not a Splunk app: it has no default/ folder.")
    layers: dict[str, list[dict[str, Stanza]]] = {}
    for folder in (app_dir / "default", local_dir or app_dir / "local"):
        for path in sorted(folder.glob("*.conf")) if folder.is_dir() else []:
            layers.setdefault(path.stem, []).append(read_conf(path, Path(folder.name) / path.name))
    confs = {name: merge(files) for name, files in layers.items()}
    package = confs.get("app", {}).get("package")
    identity = confs.get("app", {}).get("id")
    name = (
        (package.get("id") if package else "") or (identity.get("name") if identity else "") or app_dir.resolve().name
    )
    return AppConf(app_dir, confs, name)
