"""A judge over the KV store, under the settings of this Splunk."""

from __future__ import annotations

from typing import Mapping

from splunklib.client import Service

from ..detection.catalogue import Catalogue
from ..judging.judge import Judge, Mode
from ..judging.stores import JudgeSettings, Stores
from ..settings.effects import judge_settings, tuned
from ..store.breakers import BreakerCollection
from ..store.configuration import settings
from ..store.findings import FindingCollection
from ..store.histories import HistoryCollection
from ..store.homes import HomeCollection
from ..store.lists import StoredLists
from ..store.signals import SignalCollection
from ..store.sources import SourceCollection
from ..store.verdicts import VerdictCollection

BACKFILL = "back-fill of "
"""What the back-fill of a source, as a writer of histories, is called: it may run beside the source's search."""


def configured(service: Service, catalogue: Catalogue) -> tuple[Catalogue, JudgeSettings]:
    """The catalogue with the periods and thresholds that are set, and the other settings a judge goes by."""
    values = {stanza: settings(service, stanza) for stanza in ("detections", "enrichment")}
    return tuned_catalogue(catalogue, values["detections"]), judge_settings(values)


def tuned_catalogue(catalogue: Catalogue, values: Mapping[str, str]) -> Catalogue:
    """The catalogue with the periods and thresholds of these settings."""
    return catalogue.with_detections({name: tuned(each, values) for name, each in catalogue.detections.items()})


def stores_of(service: Service, source: str, writer: str) -> Stores:
    """Everything that a judge of a source reads and writes, as this writer."""
    return Stores(
        histories=HistoryCollection(service, writer),
        sources=SourceCollection(service, writer),
        verdicts=VerdictCollection(service),
        homes=HomeCollection(service),
        findings=FindingCollection(service),
        signals=lambda detection: SignalCollection(service, detection),
        breakers=lambda detection: BreakerCollection(service, detection.id, source),
        lists=StoredLists(service),
    )


def judge_of(service: Service, source: str, catalogue: Catalogue, now: int, mode: Mode) -> Judge:
    """The judge of a source."""
    writer = source if mode is Mode.BOTH else BACKFILL + source
    tuned_to, chosen = configured(service, catalogue)
    return Judge(source, tuned_to, chosen, stores_of(service, source, writer), now, mode)
