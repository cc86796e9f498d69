"""`| savedsearch "<name>"`: the text of a saved search in its place, before macros are expanded.

Source: https://help.splunk.com/splunk-enterprise/spl-search-reference/9.4/search-commands/savedsearch
Known here without replacements, and with a time range of its own; over all time Splunk takes the saved search's.
"""

from __future__ import annotations

import re

from lab.conf import AppConf
from lab.errors import SplError
from lab.spl.text import unquote

_NAMED = re.compile(r'\s*\|\s*savedsearch\s+("(?:[^"\\]|\\.)*"|[^\s|"]+)\s*(?=\||$)', re.IGNORECASE)
_CALLED = re.compile(r"\s*\|\s*savedsearch\b", re.IGNORECASE)


def names_saved_search(text: str) -> bool:
    """Whether a search begins with the command."""
    return _CALLED.match(text) is not None


def inline(text: str, app: AppConf) -> str:
    """The search with the saved search that it begins with, if any, written out."""
    if not names_saved_search(text):
        return text
    named = _NAMED.match(text)
    if named is None:
        raise SplError("savedsearch: the lab knows it with the name of a saved search only.", position=0)
    name = unquote(named[1]) if named[1].startswith('"') else named[1]
    stanza = app.stanzas("savedsearches").get(name)
    if stanza is None:
        raise SplError(f"savedsearch: there is no saved search {name!r}.", position=named.start(1))
    return stanza.get("search") + text[named.end() :]
