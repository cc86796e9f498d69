"""Tiny SDK commands, written into an app of the test's own, for tests of the protocol driver.

`write_app(folder)` makes the app: default/{app,commands,collections}.conf, bin/<command>.py, with the repository's
lib/ on each command's path.
"""

from __future__ import annotations

from pathlib import Path

LIB = Path(__file__).resolve().parents[2] / "lib"

HEADER = """\
import sys
sys.path.insert(0, {lib!r})
from splunklib.searchcommands import (
    Configuration, EventingCommand, GeneratingCommand, Option, ReportingCommand, StreamingCommand, dispatch, validators)
"""

FOOTER = """
if __name__ == "__main__":
    dispatch({cls}, sys.argv, sys.stdin, sys.stdout, __name__)
"""

COMMANDS = {
    "double": """
@Configuration()
class DoubleCommand(StreamingCommand):
    def prepare(self):
        self.configuration.required_fields = ["age"]

    def stream(self, records):
        for record in records:
            record["doubled"] = str(2 * int(record["age"])) if record.get("age") else ""
            yield record
""",
    "echo": """
@Configuration()
class EchoCommand(StreamingCommand):
    def stream(self, records):
        return records
""",
    "accumulate": """
@Configuration(distributed=False)
class AccumulateCommand(StreamingCommand):
    total = 0

    def prepare(self):
        self.configuration.required_fields = ["age", "total"]

    def stream(self, records):
        for record in records:
            self.total += int(record["age"])
            record["total"] = self.total
            yield record
""",
    "tags": """
@Configuration()
class TagsCommand(StreamingCommand):
    def prepare(self):
        self.configuration.required_fields = ["tags"]

    def stream(self, records):
        for record in records:
            tags = record["tags"]
            tags = tags if isinstance(tags, list) else [tags]
            record["tags"] = [tag + "$;" for tag in tags]
            record["kind"] = type(record["tags"]).__name__
            yield record
""",
    "count": """
@Configuration()
class CountCommand(GeneratingCommand):
    to = Option(require=True, validate=validators.Integer(0))

    def generate(self):
        for n in range(self.to):
            yield {"n": n, "app": self.metadata.searchinfo.app, "latest": self.metadata.searchinfo.latest_time}
""",
    "largest": """
@Configuration()
class LargestCommand(EventingCommand):
    seen = ()

    def transform(self, records):
        self.seen = [*self.seen, *records]
        if self._finished:
            yield max(self.seen, key=lambda record: int(record["age"]))
""",
    "drop": """
@Configuration()
class DropCommand(StreamingCommand):
    def prepare(self):
        self.configuration.required_fields = ["age"]

    def stream(self, records):
        return [record for record in records if record["age"] != "2"]
""",
    "forget": """
@Configuration()
class ForgetCommand(StreamingCommand):
    def prepare(self):
        self.configuration.required_fields = ["age"]

    def stream(self, records):
        return [{"age": record["age"]} for record in records]
""",
    "fail": """
@Configuration()
class FailCommand(StreamingCommand):
    def stream(self, records):
        for record in records:
            if record["age"] == "3":
                raise ValueError("no threes, please")
            yield record
""",
    "quit": """
@Configuration()
class QuitCommand(StreamingCommand):
    def stream(self, records):
        for record in records:
            print("on my way out", file=sys.stderr)
            sys.stderr.flush()
            import os
            os._exit(7)
            yield record
""",
    "warn": """
@Configuration()
class WarnCommand(StreamingCommand):
    def stream(self, records):
        self.write_warning("something is odd")
        return records
""",
    "remember": """
@Configuration(distributed=False)
class RememberCommand(StreamingCommand):
    def stream(self, records):
        data = self.service.kvstore["cba_history"].data
        for record in records:
            data.batch_save({"_key": record["age"], "seen": True})
            yield record
""",
}


def write_app(folder: Path) -> Path:
    """An app with all COMMANDS under `folder`; returns its directory."""
    app = folder / "lab_test_app"
    (app / "default").mkdir(parents=True)
    (app / "bin").mkdir()
    stanzas = []
    for name, code in COMMANDS.items():
        cls = name.capitalize() + "Command"
        (app / "bin" / f"{name}.py").write_text(HEADER.format(lib=str(LIB)) + code + FOOTER.format(cls=cls))
        stanzas.append(f"[{name}]\nchunked = true\nfilename = {name}.py\npython.required = 3.9, 3.13\n")
    stanzas[-1] += "is_risky = true\nrun_in_preview = false\n"
    (app / "default" / "commands.conf").write_text("\n".join(stanzas))
    (app / "default" / "app.conf").write_text("[package]\nid = lab_test_app\n")
    (app / "default" / "collections.conf").write_text("[cba_history]\n")
    return app
