"""| cbaverdict finding=<id> verdict=…, | cbaverdict profile=… entity=… value=… verdict=…, or … | cbaverdict verdict=…:
an analyst's verdict on a finding, a value, or every finding of a search."""

from __future__ import annotations

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import AnnotatingCommand, connect  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.command.table import Table, columns_of  # noqa: E402
from cba.detection.catalogue import load  # noqa: E402
from cba.detection.model import SCOPES  # noqa: E402
from cba.errors import CbaError, OptionError, RowError  # noqa: E402
from cba.findings.triage import SHOWN, shown  # noqa: E402
from cba.findings.verdicts import VERDICTS, Desk, Ruling  # noqa: E402
from cba.history.history import Subject  # noqa: E402
from cba.store.findings import FindingCollection  # noqa: E402
from cba.store.histories import HistoryCollection  # noqa: E402
from cba.store.triage import TriageCollection  # noqa: E402
from cba.store.verdicts import VerdictCollection  # noqa: E402

OF_VALUE = ("profile", "entity", "value", "decided_by", "decided_time", "earlier")


@Configuration(distributed=False)
class CbaVerdictCommand(AnnotatingCommand):
    """Generating with `finding` or `profile`, streaming without: the reply to getinfo, which splunkd asks for with the
    arguments, says which. The reply's fields, as Splunk's support describes them:
    https://community.splunk.com/t5/user/viewprofilepage/user-id/32262
    """

    verdict = Option(require=True, doc="benign, malicious or clear")
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

    choices = {"verdict": VERDICTS, "scope": ("", *SCOPES)}

    _desk = None

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
            if self.profile and (self.scope or self.owner):
                raise OptionError("scope and owner go with findings; a profile names its scope")
        except CbaError as error:
            self._fail(error)

    @property
    def desk(self):
        if self._desk is None:
            service = connect(self)
            stores = FindingCollection(service), TriageCollection(service), VerdictCollection(service)
            self._desk = Desk(load().detections, *stores)
        return self._desk

    @property
    def ruling(self):
        # What analysts do is stamped with the clock: it happens now, whatever time range they look at.
        return Ruling(self.verdict, self.metadata.searchinfo.username, int(time.time()), self.comment)

    def _execute_chunk_v2(self, process, chunk):
        if not self.generating:
            super()._execute_chunk_v2(process, chunk)
            return
        try:
            for row in self._by_value() if self.profile else self._by_finding():
                self._record_writer.write_record(row)
        except CbaError as error:
            self._fail(error)
        self._finished = True

    def _by_finding(self):
        decision = self._decide([self.finding])[self.finding]
        rows = [{name: document[name] for name in OF_VALUE} for document in decision.values]
        triage = {"finding_id": self.finding, **shown(decision.triage)}
        return [{**triage, **row} for row in rows or [dict.fromkeys(OF_VALUE, "")]]

    def _by_value(self):
        decision = self.desk.on_value(self.profile, self.entity, self.value, self.ruling)
        (document,) = decision.values
        subject = Subject(document["profile"], document["entity"])
        if not HistoryCollection(self.service).load([subject]):
            self.write_warning(f"cbaverdict: {subject.entity} has no {subject.profile} yet; the verdict waits for it")
        self._save([decision])
        return [{name: document[name] for name in ("verdict", "comment", *OF_VALUE)}]

    def annotate(self, table: Table):
        ids = table.column("finding_id")
        for position, finding_id in enumerate(ids, 1):
            if not finding_id:
                raise RowError(f"field finding_id of row {position} is empty; search cba_findings for findings")
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
        decided = self.desk.on_findings(finding_ids, self.ruling, self.scope, self.owner)
        self._save(decided.values())
        return decided

    def _save(self, decisions):
        if not self.previewing:
            self.desk.save(decisions)


dispatch(CbaVerdictCommand, sys.argv, sys.stdin, sys.stdout, __name__)
