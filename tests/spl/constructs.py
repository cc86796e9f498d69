"""The SPL constructs of a search as ids: command:stats, option:rex.field, function:if, aggregation:dc, search:NOT …"""

from __future__ import annotations

import dataclasses
import re

from lab.lookups import Lookup
from lab.spl.evalparse import Call, EvalParser, Node, calls_of
from lab.spl.macros import split_arguments
from lab.spl.searchexpr import uses
from lab.spl.stats import parse_terms
from lab.spl.subsearch import PLACEHOLDER
from lab.spl.text import ArgTokens, Segment, around_subsearches, bracketed, split_pipeline

_SYNONYMS = {"bucket": "bin"}
_WORDS = {
    "lookup": ("as", "output", "outputnew"),
    "rename": ("as",),
    "bin": ("as",),
    "inputlookup": ("where",),
}


def constructs(text: str, custom: frozenset[str]) -> set[str]:
    """Ids of everything in one macro-expanded search; `custom` commands are the app's own and have their own tests."""
    found: set[str] = set()
    for segment in split_pipeline(text):
        name = _SYNONYMS.get(segment.name, segment.name)
        if name in custom:
            continue
        found.add(f"command:{name}")
        found |= _of_segment(name, segment, custom)
    return found


def _of_segment(name: str, segment: Segment, custom: frozenset[str]) -> set[str]:
    if name == "search":
        texts, subsearches = around_subsearches(segment.args, 0)
        found = {f"search:{u}" for u in uses(PLACEHOLDER.join(texts))}
        for body, _ in subsearches:
            found |= {"search:[subsearch]"} | constructs(body, custom)
        return found
    if name == "appendpipe":
        options, _, body = segment.args.partition("[")
        inner = body.rpartition("]")[0].strip()
        found = {"option:appendpipe.run_in_preview"} if options.strip() else set()
        return found | constructs(inner if inner.startswith("|") else f"| {inner}", custom)
    if name in ("multisearch", "append"):
        return set().union(*(constructs(body, custom) for body, _ in bracketed(segment.args, 0)))
    if name in ("eval", "where"):
        parser = EvalParser(segment.args, 0, name)
        nodes = [n for _, n, _ in parser.assignments()] if name == "eval" else [parser.expression()]
        return set().union(*map(of_expression, nodes))
    if name == "streamstats" and (option := re.match(r"\s*current\s*=\s*\w+", segment.args)):
        rest = dataclasses.replace(segment, args=segment.args[option.end() :])
        return {"option:streamstats.current"} | _of_segment(name, rest, custom)
    if name in ("stats", "eventstats", "streamstats"):
        terms, by = parse_terms(segment, name)
        found = {f"aggregation:{t.function}" for t in terms} | ({f"option:{name}.by"} if by else set())
        for term in terms:
            if term.node is not None:
                found |= {"aggregation:eval"} | of_expression(term.node)
        return found
    return _of_arguments(name, segment)


def of_expression(node: Node) -> set[str]:
    """Functions and operators of an eval expression."""
    return {_call_id(call) for call in calls_of(node)}


def _call_id(call: Call) -> str:
    return f"eval:{call.name}" if call.operator else f"function:{call.name}"


def _of_arguments(name: str, segment: Segment) -> set[str]:
    """`key=value` options and key words; the rest of the command's arguments are names."""
    tokens = ArgTokens(segment.args, 0, name).tokens
    found: set[str] = set()
    for token, following in zip(tokens, [*tokens[1:], None]):
        word = token.text.lower()
        if token.quoted:
            continue
        if word == "where" and name == "inputlookup":
            found.add("option:inputlookup.where")
            return found | {f"search:{u}" for u in uses(segment.args[token.position + 5 :])}
        if (following is not None and following.text == "=" and not following.quoted) or word in _WORDS.get(name, ()):
            found.add(f"option:{name}.{word}")
    if name in ("fields", "table", "rename") and "*" in segment.args:
        found.add(f"option:{name}.wildcard")
    if name == "fields" and segment.args.strip().startswith("-"):
        found.add("option:fields.-")
    if name == "sort":
        found |= {"option:sort.0"} if segment.args.split()[0] == "0" else set()
        found |= {"option:sort.-"} if re.search(r"(^|[\s,])-", segment.args) else set()
    return found


def of_macros(text: str) -> set[str]:
    """Macro features of an unexpanded text."""
    found: set[str] = set()
    for call in re.findall(r"`([^`]+)`", text.replace("```", "")):
        found.add("macro:call")
        if "(" in call and split_arguments(call.partition("(")[2].rstrip(") ")):
            found.add("macro:arguments")
    if "```" in text:
        found.add("macro:comment")
    return found


def of_lookup(lookup: Lookup) -> set[str]:
    """Features of a lookup definition."""
    found = {"lookup:kvstore" if lookup.collection else "lookup:csv"}
    found |= {f"lookup:{kind}" for kind in lookup.kinds.values()}
    if lookup.max_matches == 1:
        found.add("lookup:max_matches=1")
    if not lookup.case_sensitive:
        found.add("lookup:case_sensitive_match=false")
    if lookup.min_matches:
        found.add("lookup:default_match")
    return found
