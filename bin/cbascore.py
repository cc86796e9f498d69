"""| cbascore detection=<id>: picks the variation of every row; adds severity, score and explanation. No I/O."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import AnnotatingCommand  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.command.table import Table, columns_of  # noqa: E402
from cba.detection.catalogue import get  # noqa: E402
from cba.detection.choose import BY_SEVERITY, PRECEDENCES  # noqa: E402
from cba.scoring.score import SCORE_FIELDS, Scorer  # noqa: E402


@Configuration()
class CbaScoreCommand(AnnotatingCommand):
    """Scores the rows of `cbabaseline` for one detection."""

    detection = Option(require=True, doc="id of the detection")
    precedence = Option(default=BY_SEVERITY, doc="severity or listed")

    choices = {"precedence": PRECEDENCES}

    _scorer = None

    @property
    def scorer(self):
        if self._scorer is None:
            self._scorer = Scorer(get(self.detection), self.precedence)
        return self._scorer

    def needs(self):
        return ("evidence", *self.scorer.fields)

    def optional(self):
        return self.scorer.fields

    def adds(self):
        return SCORE_FIELDS

    def annotate(self, table: Table):
        scorer = self.scorer
        inputs = zip(*(table.column(name) for name in self.needs()))
        return columns_of((scorer.score(*row) for row in inputs), len(SCORE_FIELDS))


dispatch(CbaScoreCommand, sys.argv, sys.stdin, sys.stdout, __name__)
