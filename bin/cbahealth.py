"""| cbahealth: how each detection and source is doing: active or not and why, what is learned, breaker, IP data."""

from __future__ import annotations

import datetime
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba import health  # noqa: E402
from cba.command.base import AnsweringCommand, connect, end_of_search, ip_database  # noqa: E402
from cba.command.judges import configured  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.detection.catalogue import get, load  # noqa: E402
from cba.enrich.geo import attribution, open_reader  # noqa: E402
from cba.errors import OptionError  # noqa: E402
from cba.home.homes import TRAINING_DAYS, tally  # noqa: E402
from cba.settings.effects import sources_off  # noqa: E402
from cba.store.breakers import BreakerCollection  # noqa: E402
from cba.store.configuration import settings, wrong_settings  # noqa: E402
from cba.store.faults import FaultCollection  # noqa: E402
from cba.store.histories import HistoryCollection  # noqa: E402
from cba.store.homes import HomeCollection  # noqa: E402
from cba.store.marks import MarkCollection  # noqa: E402
from cba.store.searches import running  # noqa: E402
from cba.store.sources import SourceCollection  # noqa: E402
from cba.store.verdicts import VerdictCollection  # noqa: E402
from cba.terms import day_of  # noqa: E402


class Runs:
    """How the searches of the sources are doing."""

    def __init__(self, service):
        self._service = service
        self._told = MarkCollection(service).told()
        self._faults = {(each["detection"], each["source"]): each["message"] for each in FaultCollection(service).all()}

    def of(self, detection):
        """Per source of the detection."""
        return {source: self._of(detection, source) for source in detection.sources}

    def _of(self, detection, source):
        mark, told = self._told.get(source, (None, {}))
        return health.Judged(
            mark=mark,
            fault=self._faults.get((detection.id, source), ""),
            breaker=BreakerCollection(self._service, detection.id, source).load(),
            ahead=int(float(told.get("ahead", 0))),
        )


@Configuration(type="reporting")
class CbaHealthCommand(AnsweringCommand):
    """One row per detection and source, as of the end of the search's time range. Reads only."""

    detection = Option(doc="id of one detection; all of them without it")
    entities = Option(default="true", doc="false leaves out the counts of histories, which look at each of them")
    silent_after = Option(
        default=str(health.SILENT_AFTER_DAYS), doc="days without an event after which a source is silent"
    )
    database = Option(doc="an IP database of your own, as given to cbageo")

    choices = {"entities": ("true", "false")}

    def answer(self):
        if not self.silent_after.isdigit() or int(self.silent_after) < 1:
            raise OptionError(f"silent_after={self.silent_after} is not a whole number of days")
        service, now = connect(self), end_of_search(self)
        for fault in wrong_settings(service):
            self.write_warning(f"cbahealth: what is set cannot work; what the app ships with holds instead: {fault}")
        for complaint in VerdictCollection(service).wrong():
            self.write_warning(f"cbahealth: passed over: {complaint}")
        catalogue, tuned = configured(service, load())
        detections = catalogue.detections
        chosen = [detections[get(self.detection).id]] if self.detection else detections.values()
        ip = self._ip_data(now)
        switches = health.Switches(
            running(service),
            sources_off(settings(service, "sources")),
            tuned.off,
        )
        self._say_what_is_not_known(switches, chosen)
        histories, days = HistoryCollection(service), SourceCollection(service).all()
        runs = Runs(service)
        for detection in chosen:
            statuses = {source: days[source] for source in detection.sources if source in days}
            census = self._census(detection, histories, statuses, day_of(now))
            homes = self._homes(service, detection, day_of(now))
            yield from health.rows(
                detection, statuses, census, runs.of(detection), ip, switches, now, int(self.silent_after),
                self.entities == "true", homes,
            )  # fmt: skip

    def _say_what_is_not_known(self, switches, detections):
        sources = dict.fromkeys(source for detection in detections for source in detection.sources)
        unknown = [source for source in sources if not switches.knows(source)]
        if unknown:
            self.write_warning(
                f"cbahealth: whether the searches of {', '.join(unknown)} are enabled is not known: your roles may not "
                "read the saved searches of the app, or they are gone. A source that is off shows as no data or silent"
            )

    def _census(self, detection, histories, statuses, day):
        widest = detection.scopes[-1]
        names = (profile.name for profile in detection.asked if self.entities == "true" or profile.scope == widest)
        each = (history for name in names for history in histories.each(name))
        return health.take_census(detection, each, day, health.activation_day(detection, statuses, day))

    def _homes(self, service, detection, day):
        if self.entities == "false" or not health.asks_for_homes(detection):
            return None
        return tally(HomeCollection(service).met_since(day - TRAINING_DAYS), day)

    def _ip_data(self, now):
        reader = open_reader(self.database, lambda: ip_database(self))
        age = reader.age_days(datetime.datetime.fromtimestamp(now, datetime.timezone.utc))
        return health.IpData(reader.date.isoformat(), age, attribution())


dispatch(CbaHealthCommand, sys.argv, sys.stdin, sys.stdout, __name__)
