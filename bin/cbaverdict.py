"""| cbaverdict finding=<id> verdict=…, | cbaverdict profile=… entity=… value=… verdict=…, or … | cbaverdict verdict=…:
an analyst's verdict on a finding, a value, or every finding of a search."""

from __future__ import annotations

import csv
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import AnnotatingCommand, connect  # noqa: E402
from cba.command.deciding import decision_of, desk_of, send  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.command.table import Table, columns_of  # noqa: E402
from cba.detection.model import SCOPES  # noqa: E402
from cba.errors import CbaError, OptionError, RowError  # noqa: E402
from cba.findings.triage import SHOWN, STATUSES, shown  # noqa: E402
from cba.findings.verdicts import NO_VERDICT, VERDICTS, Ruling  # noqa: E402
from cba.history.history import Subject  # noqa: E402
from cba.store.histories import HistoryCollection  # noqa: E402

AT_ONCE = 1_000
"""Findings that are decided with one request."""
OF_VALUE = ("profile", "entity", "value", "decided_by", "decided_time", "earlier")


@Configuration(distributed=False)
class CbaVerdictCommand(AnnotatingCommand):
    """Generating with `finding` or `profile`, streaming without: the reply to getinfo, which splunkd asks for with the
    arguments, says which. The reply's fields, as Splunk's support describes them:
    https://community.splunk.com/t5/user/viewprofilepage/user-id/32262
    """

    verdict = Option(default="", doc="benign, malicious or clear; without it only status or owner are said")
    status = Option(default="", doc="new, in progress or closed; what the verdict says without it")
    comment = Option(default="", doc="why")
    owner = Option(default="", doc="who the finding belongs to now; the user who runs the search without it")
    scope = Option(default="", doc="identity, project or organization: whom a finding's verdict holds for")
    finding = Option(default="", doc="id of a finding")
    profile = Option(default="", doc="a profile such as identity_country, with entity and value")
    entity = Option(default="", doc="whose value")
    value = Option(default="", doc="which value")

    class ConfigurationSettings(AnnotatingCommand.ConfigurationSettings):
        def iteritems(self):
            settings = super().iteritems()
            return [*settings, ("generating", True)] if self.command.generating else settings

        items = iteritems

    rows_at_once = 50_000  # a whole chunk: where one row has no id, nothing is decided

    choices = {"verdict": (NO_VERDICT, *VERDICTS), "scope": ("", *SCOPES), "status": ("", *STATUSES)}

    @property
    def generating(self):
        return bool(self.finding or self.profile)

    def needs(self):
        return ("finding_id",)

    def adds(self):
        return (*SHOWN, "judged")

    def prepare(self):
        super().prepare()
        try:
            if self.finding and self.profile:
                raise OptionError("give finding=<id> or profile=<name> entity=<whose> value=<which>, not both")
            if not self.profile and (self.entity or self.value):
                raise OptionError("entity and value go with profile=<name>, such as profile=identity_country")
            if self.profile and (self.scope or self.owner or self.status):
                raise OptionError("scope, owner and status go with findings; a profile names its scope")
            if not self.verdict and (self.profile or not (self.status or self.owner)):
                raise OptionError(f"give verdict=<one of {', '.join(VERDICTS)}>, or status or owner of findings")
        except CbaError as error:
            self._fail(error)

    def _execute_chunk_v2(self, process, chunk):
        if not self.generating:
            super()._execute_chunk_v2(process, chunk)
            return
        try:
            rows = self._by_value() if self.profile else self._by_finding()
        except CbaError as error:
            self._fail(error)
        if rows:
            writer = csv.DictWriter(self._answer.text, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        self._finished = True

    def _by_finding(self):
        decision = self._decide([self.finding])[self.finding]
        rows = [{name: document[name] for name in OF_VALUE} for document in decision.values]
        triage = {"finding_id": self.finding, **shown(decision.triage)}
        return [{**triage, **row} for row in rows or [dict.fromkeys(OF_VALUE, "")]]

    def _by_value(self):
        service = connect(self)
        if self.previewing:
            return []
        about = {"profile": self.profile, "entity": self.entity, "value": self.value}
        told = send(service, decide="value", verdict=self.verdict, comment=self.comment, **about)
        (document,) = decision_of(told).values
        subject = Subject(document["profile"], document["entity"])
        if not HistoryCollection(service).load([subject]):
            self.write_warning(f"cbaverdict: {subject.entity} has no {subject.profile} yet; the verdict waits for it")
        return [{name: document[name] for name in ("verdict", "comment", *OF_VALUE)}]

    def annotate(self, table: Table):
        ids = table.column("finding_id")
        for index, finding_id in enumerate(ids):
            if not finding_id:
                raise RowError(
                    f"field finding_id of row {table.position(index)} is empty; search cba_findings for findings"
                )
        decided = self._decide(list(dict.fromkeys(ids)))
        cells = {
            finding_id: (
                *map(str, shown(decision.triage).values()),
                "; ".join(f"{d['profile']} of {d['entity']}: {d['value']}" for d in decision.values),
            )
            for finding_id, decision in decided.items()
        }
        return columns_of((cells[finding_id] for finding_id in ids), len(self.adds()))

    def _decide(self, finding_ids):
        service = connect(self)
        if self.previewing:  # what would be decided, and nothing is
            by = self.metadata.searchinfo.username
            ruling = Ruling(self.verdict, by, int(time.time()), self.comment, self.status, self.owner)
            return desk_of(service).on_findings(finding_ids, ruling, self.scope)
        asked = {name: getattr(self, name) for name in ("verdict", "comment", "scope", "status", "owner")}
        decided = {}
        for start in range(0, len(finding_ids), AT_ONCE):
            told = send(service, decide="findings", findings=finding_ids[start : start + AT_ONCE], **asked)
            decided.update({finding_id: decision_of(each) for finding_id, each in told.items()})
        return decided


dispatch(CbaVerdictCommand, sys.argv, sys.stdin, sys.stdout, __name__)
