"""Every search command of the app, present and future, and how to talk to one as splunkd does, whatever it is."""

from __future__ import annotations

from typing import Any

from lab.chunked import Chunk
from lab.conf import load_app
from lab.errors import LabError
from lab.replay import APP_DIR
from lab.transport import command_class
from tests.support.workbench import CHOSEN, Workbench

COMMANDS = sorted(load_app(APP_DIR).stanzas("commands"))
USUAL = {"detection": CHOSEN, "verdict": "verdict=benign", "entity": "entity=ann", "source": "source=aws", "variation": "variation=base"}
"""What options that a command needs may be, by name; of those to come, anything."""


def kind_of(command: str) -> type[Any]:
    return command_class(APP_DIR / "bin" / f"{command}.py", command)


def needed(command: str) -> list[str]:
    """Arguments for the options without which the command does nothing at all."""
    required = [name for name, option in kind_of(command).option_definitions if option.require]
    return [USUAL.get(name, f"{name}=x") for name in required]


def answers(
    bench: Workbench, command: str, args: list[str], body: str = "src_ip\n1.1.1.1\n"
) -> tuple[list[Chunk], str]:
    """What the command answers to these arguments and a chunk of rows, and how the conversation ended, "" if well."""
    replies: list[Chunk] = []
    try:
        replies = bench.talk(command, args, [(body, False), ("", True)])
    except LabError as error:
        return replies, error.message
    return replies, ""
