"""| cbaforget: deletes histories, signals and findings that nothing looks at any more."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import AnsweringCommand, connect, end_of_search  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.errors import OptionError  # noqa: E402
from cba.maintenance import FINDING_DAYS, expired  # noqa: E402
from cba.store.collection import Collection  # noqa: E402
from cba.terms import date_text  # noqa: E402


@Configuration(type="reporting")
class CbaForgetCommand(AnsweringCommand):
    """One row per collection: how many documents were forgotten, and the first day that is kept."""

    finding_days = Option(default=str(FINDING_DAYS), doc="how many days findings are kept")

    def answer(self):
        if not self.finding_days.isdigit() or int(self.finding_days) < 1:
            raise OptionError(f"finding_days={self.finding_days} is not a number of days")
        service = connect(self)
        for name, query, kept_from in expired(end_of_search(self), int(self.finding_days)):
            collection = Collection(service, name)
            count = sum(1 for _document in collection.find(query))
            if count and not getattr(self.metadata, "preview", False):
                collection.forget(query)
            yield {"collection": name, "forgotten": count, "kept_from": date_text(kept_from)}


dispatch(CbaForgetCommand, sys.argv, sys.stdin, sys.stdout, __name__)
