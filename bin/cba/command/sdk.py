"""The one door to splunk-sdk's search commands: the app takes from the SDK what stands here, and nothing else of it.

The SDK gives every command four options of its own, whoever may run it (docs/security.md): `logging_configuration`
reads any file and evaluates parts of it as Python, `record` archives the search's folder, `logging_level` and
`show_configuration` tell what the command is made of. When it is imported it also looks for logging.conf files in
local/, where whoever may write confs of the app can put them. So the door has two bolts: the SDK never gets to read a
logging configuration, and no command has these options.

Everything private of the SDK that the app leans on is in this module, in `chunks` and in `base`:
https://github.com/splunk/splunk-sdk-python/blob/2.1.1/splunklib/searchcommands/environment.py
"""

from __future__ import annotations

import importlib
import logging.config
from typing import Any

not_read: list[str] = []
"""Logging configurations that the SDK would have read."""


def _read_nothing(path: Any, *_: Any, **__: Any) -> None:
    """In the place of logging.config.fileConfig, which evaluates classes and arguments out of the file as Python."""
    not_read.append(str(path))


def _bolt_environment() -> Any:
    """The SDK's module `environment`, which can read no configuration: not while it is imported, and not later."""
    original = logging.config.fileConfig
    logging.config.fileConfig = _read_nothing  # type: ignore[assignment]
    try:
        environment = importlib.import_module("splunklib.searchcommands.environment")
    finally:
        logging.config.fileConfig = original
    environment.fileConfig = _read_nothing  # type: ignore[attr-defined]
    return environment


environment = _bolt_environment()

from splunklib.searchcommands import (  # noqa: E402
    Configuration,
    EventingCommand,
    GeneratingCommand,
    Option,
    StreamingCommand,
    dispatch,
    validators,
)
from splunklib.searchcommands.internals import RecordWriter  # noqa: E402
from splunklib.searchcommands.search_command import SearchCommand  # noqa: E402

__all__ = [
    "REFUSED_OPTIONS", "Configuration", "EventingCommand", "GeneratingCommand", "NoOptionsOfTheSdk", "Option",
    "RecordWriter", "SearchCommand", "StreamingCommand", "dispatch", "not_read", "validators",
]  # fmt: skip

REFUSED_OPTIONS = ("logging_configuration", "logging_level", "record", "show_configuration")


class NoOptionsOfTheSdk:
    """Mixed into a command before the SDK's class: what the SDK declares as options are plain values here.

    Options are found by their kind among the members of a class (Option.fix_up), so these are none, nobody can set
    them, and what the SDK reads of them says no.
    """

    logging_configuration = None
    logging_level = None
    record = False
    show_configuration = False


def name_of(argument: str) -> str:
    """The option that an argument sets, "" when it sets none; in lower case, so for words, not for looking it up."""
    name, equals, _value = argument.partition("=")
    return name.strip().lower() if equals else ""
