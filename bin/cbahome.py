"""| cbahome learn=true|false overlap=<seconds>: the home region of instances and functions, and calls outside of it."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import AnnotatingCommand, connect, end_of_search  # noqa: E402
from cba.command.home_rows import HOME_FIELDS, odd_regions, read_home_rows  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch, validators  # noqa: E402
from cba.command.table import Table, columns_of  # noqa: E402
from cba.home.finder import ANSWER_FIELDS, HomeFinder  # noqa: E402
from cba.store.homes import HomeCollection  # noqa: E402


@Configuration(distributed=False)
class CbaHomeCommand(AnnotatingCommand):
    """Looks workloads up in the KV store's homes. Stateful: it runs on the search head, rows in order of time."""

    learn = Option(default="false", doc="true or false")
    overlap = Option(default=7200, validate=validators.Integer(0), doc="how many seconds late events may arrive")

    choices = {"learn": ("true", "false")}

    _finder = None
    _odd = None

    def needs(self):
        return HOME_FIELDS

    def optional(self):
        return tuple(name for name in HOME_FIELDS if name != "bucket")

    def adds(self):
        return ANSWER_FIELDS

    @property
    def finder(self):
        if self._finder is None:
            learn = self.learn == "true" and not self.previewing
            self._finder = HomeFinder(HomeCollection(connect(self)), end_of_search(self), self.overlap, learn)
            self._odd = {}
        return self._finder

    def annotate(self, table: Table):
        finder, told = self.finder, len(self._odd)
        answers = finder.process(read_home_rows(table, self._odd))
        for sentence in odd_regions(self._odd)[told:]:
            self.write_warning(f"{self.name}: {sentence}")
        return columns_of(answers, len(ANSWER_FIELDS))


dispatch(CbaHomeCommand, sys.argv, sys.stdin, sys.stdout, __name__)
