"""Values as SPL: the one way in which a text of somebody else's becomes a part of a search.

| what a value becomes | function |
|---|---|
| a quoted string in plain SPL: a value in search terms, an option of a command, a text in eval | `spl_text` |
| an eval expression in SPL that goes through other hands first: dashboards, `map`, macros with arguments, conf files | `spl_expression` |

In a quoted string a quotation mark and a backslash are written with a backslash before them; pipes, brackets and
backticks mean nothing there, and macros in quotes are not expanded:
https://docs.splunk.com/Documentation/Splunk/9.4.0/SearchReference/Search#Quotes_and_escaping_characters,
https://docs.splunk.com/Documentation/Splunk/9.4.0/Knowledge/Usesearchmacros. A `*` in search terms stays a wildcard, which
cannot be written otherwise: compare with `where` what must be equal.

A `$` does mean something to whoever fills in tokens ($name$) before the search is parsed, inside of quotes too.
`spl_expression` leaves nothing that any such hand looks at.
"""  # noqa: E501

from __future__ import annotations

import re
from urllib.parse import quote

_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
"""What no search can hold: NUL ends a text in splunkd, and half a character is none in UTF-8."""
_INERT = re.compile(r"[A-Za-z0-9 _.:/@,+=-]*", re.ASCII)


def spl_text(value: str) -> str:
    """The value as a quoted string, quotation marks included."""
    text = _NOT_TEXT.sub("\ufffd", value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def spl_expression(value: str) -> str:
    """An eval expression for the value that holds no quotation mark, backslash, `$`, backtick, pipe, bracket or control
    character of it."""
    if _INERT.fullmatch(value):
        return f'"{value}"'
    return f'urldecode("{quote(_NOT_TEXT.sub(chr(0xFFFD), value), safe="")}")'
