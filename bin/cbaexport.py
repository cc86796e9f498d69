"""| cbaexport (format=json|ocsf)?: the findings raised in the search's time range, each as a line of JSON in _raw.
Reads only."""

from __future__ import annotations

import json
import math
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

from cba.command.base import AnsweringCommand, connect, end_of_search  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.detection.catalogue import load  # noqa: E402
from cba.findings.export import exported, line  # noqa: E402
from cba.findings.ocsf import event  # noqa: E402
from cba.findings.triage import family, triage_of  # noqa: E402
from cba.store.findings import FindingCollection  # noqa: E402
from cba.store.triage import TriageCollection  # noqa: E402

JSON, OCSF = "json", "ocsf"
PART = 500
"""Findings that are looked at at once."""


@Configuration(type="reporting")
class CbaExportCommand(AnsweringCommand):
    """One row for each finding, oldest first."""

    format = Option(default=JSON, doc="json: finding.schema.json beside the guide; ocsf: Detection Finding, class 2004")

    choices = {"format": (JSON, OCSF)}

    def answer(self):
        service = connect(self)
        findings, triage = FindingCollection(service), TriageCollection(service)
        told = self._told()
        for part in findings.raised_between(self._since, end_of_search(self), PART):
            said = triage.by_ids(name for finding in part for name in family(finding))
            for finding in part:
                record = exported(finding, triage_of(finding, said))
                yield {
                    "_time": record["first_time"],
                    "finding_id": record["finding_id"],
                    "detection": record["detection"],
                    "severity": record["severity"],
                    "status": record["status"],
                    "_raw": line(told(record)),
                }

    @property
    def _since(self):
        earliest = self.metadata.searchinfo.earliest_time
        return int(earliest) if earliest and math.isfinite(earliest) else 0

    def _told(self):
        """What makes of a finding what its line says."""
        if self.format == JSON:
            return dict
        names, version = {each.id: each.name for each in load().detections.values()}, _version()
        return lambda record: event(record, names.get(record["detection"], record["name"]), version)


def _version():
    with open(os.path.join(HERE, "..", "app.manifest"), encoding="utf-8") as file:
        return json.load(file)["info"]["id"]["version"]


dispatch(CbaExportCommand, sys.argv, sys.stdin, sys.stdout, __name__)
