"""Values in searches: whatever a value is, it stays a value.

Two ways lead from a value into a search. A page's token is written `$name|s$`, which Dashboard Studio replaces with the
value in quotes, quotes and backslashes in it escaped (JSON.stringify in @splunk/dashboard-utils,
`VALUE_ESCAPERS.search`; "Token filters" in
https://help.splunk.com/en/splunk-enterprise/create-dashboards-and-reports/dashboard-studio/10.0/make-dashboards-dynamic-and-interactive/tokens).
Where it is but a part of a name in quotes it is written `$name|u$`, encoded as in an address: neither a quote nor a
backslash is left in it. `Board` refuses a search with any other token. And SPL makes searches for rows that open one,
with `inner` and `quoted`.
"""

from __future__ import annotations

import re

TOKEN = re.compile(r"\$[A-Za-z_][\w.:]*(\|\w+)?\$")
IN_QUOTES = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
BACKSLASH = r'"\\\\"'
"""A regular expression for one, as an eval string."""
TWO_BACKSLASHES = r'"\\\\\\\\"'
"""Two of them as what `replace` puts in, as an eval string."""


def bare_tokens(query: str) -> list[str]:
    """The tokens of a query whose values could become anything in it."""
    outside, inside = IN_QUOTES.sub(" ", query), " ".join(IN_QUOTES.findall(query))
    return [
        found[0]
        for text, right in ((outside, "|s"), (inside, "|u"))
        for found in TOKEN.finditer(text)
        if found[1] != right
    ]


def token(name: str) -> str:
    """A page's token as a text in quotes, to be written where a search or an expression takes one."""
    return f"${name}|s$"


def part(name: str) -> str:
    """A page's token as a part of a name in quotes."""
    return f"${name}|u$"


def inner(value: str) -> str:
    """The eval expression for a text as it stands between the quotes of a search."""
    return rf'replace(replace({value}, {BACKSLASH}, {TWO_BACKSLASHES}), "\"", "\\\\\"")'


def quoted(value: str) -> str:
    """The eval expression for a text in quotes, as a search takes it."""
    return rf'"\"".{inner(value)}."\""'


def filled(template: str, field: str, value: str) -> str:
    """The eval expression that puts a text in the place of $field$ or @field@ in a template."""
    # \x24 is a dollar sign: in a page, two of them would make a token. So templates that stand in pages have @.
    return rf'replace({template}, "[\x24@]{field}[\x24@]", replace({value}, {BACKSLASH}, {TWO_BACKSLASHES}))'


def contains(field: str, name: str) -> str:
    """The eval expression for whether a field has the text of a token somewhere, in any case; * stands for anything."""
    return rf'like(lower({field}), "%".replace(lower({token(name)}), "\*", "%")."%")'
