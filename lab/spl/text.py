"""Cut search text: macro calls, pipeline segments, arguments. All of it knows quotes, brackets and ```comments```."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterator, Optional

from lab.errors import SplError


@dataclass(frozen=True)
class Segment:
    """One command of a pipeline. `position` is where the segment starts in the expanded text."""

    name: str
    args: str
    position: int
    args_position: int


@dataclass
class Cursor:
    """Walks text and skips what must not be looked into: "quoted text" with \\ escapes."""

    text: str
    at: int = 0

    def skip_quoted(self) -> None:
        """`at` is on a double quote: move past the closing one."""
        start = self.at
        n = start + 1
        while n < len(self.text):
            if self.text[n] == "\\":
                n += 2
                continue
            if self.text[n] == '"':
                self.at = n + 1
                return
            n += 1
        raise SplError("unbalanced double quote.", position=start)


def strip_comments(text: str) -> str:
    """Blank out ```comments``` (positions stay the same); inside quotes they are text."""
    if "```" not in text:
        return text
    out: list[str] = []
    cursor = Cursor(text)
    while cursor.at < len(text):
        start = cursor.at
        if text[start] == '"':
            cursor.skip_quoted()
            out.append(text[start : cursor.at])
        elif text.startswith("```", start):
            end = text.find("```", start + 3)
            if end < 0:
                raise SplError("comment opened by ``` is not closed.", position=start)
            out.append(" " * (end + 3 - start))
            cursor.at = end + 3
        else:
            out.append(text[start])
            cursor.at += 1
    return "".join(out)


def split_pipeline(text: str, offset: int = 0) -> list[Segment]:
    """Split at top-level pipes. A text that does not start with a pipe begins with an implicit `search`.

    Subsearches in [brackets] stay inside the arguments of their command.
    """
    pieces: list[tuple[str, int]] = []
    cursor = Cursor(text)
    depth = 0
    start = 0
    leading_pipe = text.lstrip().startswith("|")
    while cursor.at < len(text):
        char = text[cursor.at]
        if char == '"':
            cursor.skip_quoted()
            continue
        if char == "[":
            depth += 1
        elif char == "]":
            depth -= 1
            if depth < 0:
                raise SplError("']' without '['.", position=offset + cursor.at)
        elif char == "|" and depth == 0:
            pieces.append((text[start : cursor.at], start))
            start = cursor.at + 1
        cursor.at += 1
    if depth:
        raise SplError("'[' is not closed.", position=offset + text.find("["))
    pieces.append((text[start:], start))
    if leading_pipe:
        pieces = pieces[1:]
    segments: list[Segment] = []
    for n, (piece, at) in enumerate(pieces):
        body = piece.strip()
        where = offset + at + (len(piece) - len(piece.lstrip()))
        if not body:
            if n == 0 and not leading_pipe and len(pieces) == 1:
                raise SplError("the search is empty.", position=offset)
            raise SplError("empty pipeline segment.", position=where)
        if n == 0 and not leading_pipe:
            word = body.split(None, 1)[0]
            if word.lower() == "search":
                segments.append(Segment("search", body[6:].strip(), where, where + 7))
            else:
                segments.append(Segment("search", body, where, where))
            continue
        end = 0
        while end < len(body) and (body[end].isalnum() or body[end] == "_"):
            end += 1
        name = body[:end].lower()
        if not name:
            raise SplError(f"expected a command after '|', not {body[:20]!r}.", position=where)
        args = body[end:]
        segments.append(Segment(name, args.strip(), where, where + end + len(args) - len(args.lstrip())))
    return segments


@dataclass(frozen=True)
class Token:
    """One argument token: `text` without its quotes, `quoted` whether it had double quotes."""

    text: str
    quoted: bool
    position: int


@dataclass
class ArgTokens:
    """The arguments of a command as words: commas and parentheses stand alone, ``k=v`` gives three tokens."""

    args: str
    offset: int
    command: str
    tokens: list[Token] = field(default_factory=list)
    at: int = 0

    def __post_init__(self) -> None:
        self.tokens = list(_tokens(self.args, self.offset))

    def peek(self, ahead: int = 0) -> Optional[Token]:
        n = self.at + ahead
        return self.tokens[n] if n < len(self.tokens) else None

    def take(self) -> Token:
        token = self.peek()
        if token is None:
            raise self.error("more arguments expected.")
        self.at += 1
        return token

    def accept(self, *words: str) -> Optional[Token]:
        """Take the next token when it is one of `words` (unquoted, any case)."""
        token = self.peek()
        if token is not None and not token.quoted and token.text.lower() in words:
            self.at += 1
            return token
        return None

    def expect(self, word: str) -> Token:
        token = self.accept(word)
        if token is None:
            found = self.peek()
            raise self.error(f"expected '{word}'" + (f", found '{found.text}'." if found else "."))
        return token

    def option(self, name: str) -> Optional[str]:
        """The value of a leading ``name=value``, or None."""
        token, equals = self.peek(), self.peek(1)
        if token is None or equals is None or token.quoted or equals.text != "=" or equals.quoted:
            return None
        if token.text.lower() != name:
            return None
        self.at += 2
        return self.take().text

    def options(self, *names: str) -> dict[str, str]:
        """All leading ``name=value`` pairs; an unknown name is an error."""
        found: dict[str, str] = {}
        while True:
            token, equals = self.peek(), self.peek(1)
            if token is None or equals is None or equals.quoted or equals.text != "=":
                return found
            name = token.text.lower()
            if name not in names:
                raise self.error(f"unknown option '{token.text}'. Known: {', '.join(names) or 'none'}.")
            self.at += 2
            found[name] = self.take().text

    def whole(self, options: dict[str, str], name: str, default: int) -> int:
        """An option that must be a whole number."""
        word = options.get(name, str(default))
        if not word.isdigit():
            raise SplError(f"{self.command}: {name}={word} is not a whole number.", position=self.offset)
        return int(word)

    def field_list(self) -> list[str]:
        """The rest as field names, separated by spaces or commas."""
        names = []
        while self.peek() is not None:
            token = self.take()
            if token.text == "," and not token.quoted:
                continue
            names.append(token.text)
        return names

    def done(self) -> None:
        token = self.peek()
        if token is not None:
            raise self.error(f"unexpected '{token.text}'.")

    def error(self, message: str) -> SplError:
        token = self.peek()
        position = token.position if token else self.offset + len(self.args)
        return SplError(f"{self.command}: {message}", position=position)


def _tokens(args: str, offset: int) -> Iterator[Token]:
    cursor = Cursor(args)
    while cursor.at < len(args):
        char = args[cursor.at]
        start = cursor.at
        if char.isspace():
            cursor.at += 1
        elif char == '"':
            cursor.skip_quoted()
            yield Token(unquote(args[start : cursor.at]), True, offset + start)
        elif char in ",()=":
            cursor.at += 1
            yield Token(char, False, offset + start)
        else:
            while cursor.at < len(args) and args[cursor.at] not in ' \t\r\n,()="':
                cursor.at += 1
            yield Token(args[start : cursor.at], False, offset + start)


def unquote(quoted: str) -> str:
    """``"a \\"b\\" \\\\d"`` → ``a "b" \\d``. Only \\" and \\\\ are escapes; other backslashes stay, for regexes."""
    body = quoted[1:-1]
    return body.replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\") if "\\" in body else body


def around_subsearches(args: str, offset: int) -> tuple[list[str], list[tuple[str, int]]]:
    """The texts before, between and after the top-level [subsearch] texts of `args`; and these with their positions."""
    texts: list[str] = []
    found: list[tuple[str, int]] = []
    start = 0
    for at, char, depth in _unquoted(args):
        if depth == 1 and char in "[]":
            if char == "[":
                texts.append(args[start:at])
            else:
                found.append((args[start:at], offset + start))
            start = at + 1
    return [*texts, args[start:]], found


def bracketed(args: str, offset: int) -> list[tuple[str, int]]:
    """The top-level [subsearch] texts of `args` with their positions; anything else between them is an error."""
    for at, char, depth in _unquoted(args):
        if depth == 0 and char != "]" and not char.isspace():
            raise SplError(f"expected a [subsearch], found {args[at:][:20]!r}.", position=offset + at)
    return around_subsearches(args, offset)[1]


def _unquoted(args: str) -> Iterator[tuple[int, str, int]]:
    """What stands outside double quotes: position, character, and depth of brackets; a bracket is within itself."""
    cursor = Cursor(args)
    depth = 0
    while cursor.at < len(args):
        char = args[cursor.at]
        if char == '"':
            cursor.skip_quoted()
            continue
        depth += char == "["
        yield cursor.at, char, depth
        depth -= char == "]"
        cursor.at += 1
