"""The yardstick: an ordinary splunk-sdk command that reads the same fields and adds as many, all constant.

    | echo fields=src_ip,day add=country,asn

It is what a command costs that does nothing, written as the SDK's documentation says; it runs as its own process.
https://dev.splunk.com/enterprise/docs/devtools/customsearchcommands
"""

from __future__ import annotations

import os
import sys
from typing import Iterable, Iterator

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from splunklib.searchcommands import Configuration, Option, StreamingCommand, dispatch, validators  # noqa: E402

CONSTANT = "constant"


@Configuration(distributed=False)
class EchoCommand(StreamingCommand):
    """Every record as it came, with the fields of `add` set to a constant."""

    fields = Option(require=True, validate=validators.List())
    add = Option(require=True, validate=validators.List())

    def prepare(self) -> None:
        self.configuration.required_fields = self.fields

    def stream(self, records: Iterable[dict[str, str]]) -> Iterator[dict[str, str]]:
        names = self.add
        for record in records:
            for name in names:
                record[name] = CONSTANT
            yield record


dispatch(EchoCommand, sys.argv, sys.stdin, sys.stdout, __name__)
