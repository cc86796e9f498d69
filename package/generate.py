"""Generates what follows from `detections/*.yml` and the declared settings; nothing it writes is edited by hand.

    python package/generate.py           writes the files
    python package/generate.py --check   exits with 1 and names every file that differs from what it would write

YAML -> bin/cba/detection/catalogue.json (for the commands), default/savedsearches.conf, lookups/cba_detections.csv
(the catalogue), docs/detections/<id>.md (by `detection_page`). PyYAML is needed here and nowhere in the app. What
follows from the declared settings is added by `configuration_page`.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from pathlib import Path
from typing import Any, Iterable, Iterator, Mapping, Sequence

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bin"))

import configuration_page  # noqa: E402
import pages  # noqa: E402
import sources  # noqa: E402
from detection_page import GENERATED, doc_page  # noqa: E402

from cba.detection.model import (  # noqa: E402
    PREFIX,
    Detection,
    Variation,
    collect,
    detect_search,
    variation_search,
)
from cba.errors import DetectionError, DetectionErrors  # noqa: E402
from cba.findings.verdicts import judged_scopes  # noqa: E402

# Minutes within the quarter of an hour: what prepares lookups first, then the detections one after the other, then what
# reads their findings.
DETECT_MINUTES = range(1, 8)
RAISE_MINUTES = range(9, 15)
# What was indexed within the overlap for late data (2 h) and the cadence (15 min), snapped to the hour so that every
# 15-minute bucket is seen whole; what comes later than that, up to a day, is judged all the same.
DETECT_INDEXED = "-3h@h"
DETECT_EARLIEST = "-24h@h"
# A detection that catches up after an outage raises in the past. A finding is an alert once: throttling sees to it, and
# no deduplication period is shorter than this.
RAISE_EARLIEST = "-24h@h"

# Capped so that one detection cannot make an entity a risk incident by repetition alone (the sum is also throttled).
RISK_OBJECT_TYPES = {"identity": "user", "host": "system"}
RISK_SCORES = {"informational": 5, "low": 15, "medium": 40, "high": 65, "critical": 85}

Stanza = dict[str, str]


def load(folder: Path) -> dict[str, Detection]:
    """The detections of a folder. Raises DetectionErrors with every fault of every file, each naming file and field."""
    documents: dict[str, Any] = {}
    errors: list[DetectionError] = []
    for path in sorted(folder.glob("*.yml")):
        try:
            documents[path.name] = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            errors.append(DetectionError(path.name, f"is not YAML: {_where(error)}"))
    try:
        detections = collect(Detection.from_dict, documents)
    except DetectionErrors as found:
        errors.extend(found.errors)
    if errors:
        raise DetectionErrors(errors)
    return detections


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else problem


def generate(detections: Mapping[str, Detection]) -> dict[str, str]:
    """Every generated file: path below the root -> content."""
    files = {
        "bin/cba/detection/catalogue.json": catalogue_json(detections.values()),
        "default/savedsearches.conf": savedsearches_conf(detections.values()),
        "lookups/cba_detections.csv": catalogue_csv(detections.values()),
        "lookups/cba_drilldowns.csv": drilldowns_csv(detections.values()),
    }
    files["docs/attack-navigator-layer.json"] = navigator_layer(detections.values())
    for detection in detections.values():
        files[f"docs/detections/{detection.id}.md"] = doc_page(detection, detect_spl(detection))
    return files


def catalogue_json(detections: Iterable[Detection]) -> str:
    """What the commands read: the documents of all detections."""
    documents = [detection.document for detection in detections]
    return json.dumps(documents, indent=1, ensure_ascii=False) + "\n"


def catalogue_csv(detections: Iterable[Detection]) -> str:
    """The catalogue lookup: one row per variation. `deduplication` is in days; `judged_scopes` are those that a verdict
    on a finding may be given for."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = ["detection", "variation", "name", "severity", "kind", "attack", "sources", "saved_search"]
    writer.writerow([*columns, "deduplication", "judged_scopes"])
    for detection in detections:
        for variation in detection.all_variations:
            attack = " ".join(detection.tactics + detection.techniques)
            sources = " ".join(detection.sources)
            row = [detection.id, variation.id, variation.name, variation.severity, variation.kind, attack, sources]
            judged = [detection.periods.deduplication, " ".join(judged_scopes(detection))]
            writer.writerow([*row, variation_stanza(detection, variation), *judged])
    return out.getvalue()


def drilldowns_csv(detections: Iterable[Detection]) -> str:
    """What can be done with a finding, the searches for its events first: $field$ is for what the finding fills in."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["detection", "title", "means", "search"])
    for detection in detections:
        looks = (
            [detection.id, each.name, "what the detection suggests to look at", each.search]
            for each in detection.drilldowns
        )
        writer.writerows(looks)
        if detection.allow is not None:
            title = f"Put it on the list {detection.allow.lookup}"
            writer.writerow([detection.id, title, "expected from now on; say why", detection.allow.search])
    return out.getvalue()


def navigator_layer(detections: Iterable[Detection]) -> str:
    """The techniques covered, for the ATT&CK Navigator; the score is the number of variations.

    Format: https://github.com/mitre-attack/attack-navigator/blob/master/layers/spec/v4.5/layerformat.md
    """
    covering: dict[str, list[Detection]] = {}
    for detection in detections:
        for technique in detection.techniques:
            covering.setdefault(technique, []).append(detection)
    layer = {
        "name": "Cloud Behavior Analytics",
        "versions": {"layer": "4.5"},
        "domain": "enterprise-attack",
        "description": GENERATED,
        "gradient": {"colors": ["#d0e7f5", "#0072b2"], "minValue": 0, "maxValue": 16},
        "techniques": [
            {
                "techniqueID": technique,
                "score": sum(len(detection.all_variations) for detection in found),
                "comment": "; ".join(detection.name for detection in found),
            }
            for technique, found in sorted(covering.items())
        ],
    }
    return json.dumps(layer, indent=1, ensure_ascii=False) + "\n"


def detect_stanza(detection: Detection) -> str:
    return detect_search(detection.id)


def variation_stanza(detection: Detection, variation: Variation) -> str:
    return variation_search(detection.id, variation.id)


def events_spl(sources: Sequence[str]) -> str:
    """The normalised events of these sources, scanned once."""
    searches = [f"search `cba_events_{source}`" for source in sources]
    if len(searches) == 1:
        return searches[0]
    return "| multisearch " + " ".join(f"[ {search} ]" for search in searches)


def rows_spl(detection: Detection, sources: Sequence[str] = ()) -> list[str]:
    """What a detection judges: find, normalise and reduce in SPL. Of all its sources, or of those given."""
    groups = " ".join(dict.fromkeys(("day", "bucket", "source_kind", *detection.group_by)))
    fill = " ".join(name for name in detection.group_by)
    return [
        events_spl(sources or detection.sources),
        *_lines(detection, "prepare"),
        *candidates_spl(detection),
        "| `cba_judged_days`",
        f'| fillnull value="-" {fill}',
        fold_spl(detection),
        f"| stats dc({detection.counted_by}) AS events values(event_time) AS event_times "
        f"min(event_time) AS first_time BY {groups}",
        *_lines(detection, "enrich"),
        "| sort 0 day bucket",
    ]


def detect_spl(detection: Detection, learn: str = "true", sources: Sequence[str] = ()) -> str:
    """The detection search: its rows; histories, variations and findings in the commands."""
    learned = [*rows_spl(detection, sources), f"| cbabaseline detection={detection.id} learn={learn}"]
    judged = [
        *([f"| cbacorrelate detection={detection.id} window=`cba_time_window`"] if detection.signals else []),
        f"| cbascore detection={detection.id} precedence=`cba_precedence`",
        '| where variation!=""',
        f"| cbarecord detection={detection.id}",
    ]
    return _piped(learned if learn == "only" else learned + judged)


def _piped(lines: Iterable[str]) -> str:
    return "\n".join(line if line.startswith(("|", "search")) else f"| {line}" for line in lines)


def _lines(detection: Detection, field: str) -> list[str]:
    return str(detection.document.get(field, "")).strip().splitlines()


def candidates_spl(detection: Detection) -> list[str]:
    """Marks what the detection is not about. Nothing is dropped: the first event of any kind activates a source.

    `admit` lists reasons for skipping events that do not concern this detection.
    """
    condition = str(detection.document.get("candidates", "")).strip()
    if not condition:
        return []
    admitted = ", ".join(f'"{reason}"' for reason in detection.document.get("admit", []))
    open_to = f"(isnull(skip_reason) OR in(skip_reason, {admitted}))" if admitted else "isnull(skip_reason)"
    return [f'| eval skip_reason=if({open_to} AND {condition}, null(), coalesce(skip_reason, "no candidate"))']


def fold_spl(detection: Detection) -> str:
    """Events that can never be judged count for their source and day only: one row for all of them in a bucket.

    `kept` lists the fields that such events are read for all the same.
    """
    whole = {"skip_reason", *detection.document.get("kept", [])}
    folded = (f'{name}=if(skip_reason="-", {name}, "-")' for name in detection.group_by if name not in whole)
    return f"| eval {', '.join(folded)}"


def raise_spl(detection: Detection, variation: Variation) -> str:
    """The search of one variation: the findings raised in its window, as alerts."""
    return "\n".join(
        (
            f'| inputlookup cba_findings where detection="{detection.id}" variation="{variation.id}"',
            "| addinfo",
            "| where raised_time>=info_min_time AND raised_time<info_max_time",
            "| fields - info_*",
            "| eval _time=first_time, drilldown_end=last_time+1",
        )
    )


def savedsearches_conf(detections: Iterable[Detection]) -> str:
    """default/savedsearches.conf."""
    stanzas: dict[str, Stanza] = {}
    for place, detection in enumerate(detections):
        stanzas[detect_stanza(detection)] = detect_settings(detection, place)
        stanzas.update(backfills(detection))
        stanzas[f"{PREFIX} - {detection.id} - Rows"] = rows_settings(detection)
        for variation in detection.all_variations:
            stanzas[variation_stanza(detection, variation)] = variation_settings(detection, variation, len(stanzas))
    stanzas[f"{PREFIX} - Quarantined users"] = quarantine_settings()
    stanzas[f"{PREFIX} - Maintenance"] = maintenance_settings()
    return f"# {GENERATED}\n" + "".join(_stanza(name, settings) for name, settings in stanzas.items())


def _stanza(name: str, settings: Stanza) -> str:
    lines = (f"{key} = {_continued(value)}" for key, value in settings.items())
    return f"\n[{name}]\n" + "\n".join(lines) + "\n"


def _continued(value: str) -> str:
    return " \\\n".join(value.strip().split("\n"))


def _quarterly(minutes: range, place: int) -> str:
    """Every 15 minutes, at the minute that falls to the place."""
    return f"{minutes[place % len(minutes)]}-59/15 * * * *"


def detect_settings(detection: Detection, place: int) -> Stanza:
    return {
        "description": f"{detection.name}: learns what is normal, judges what is new, records findings.",
        "search": detect_spl(detection),
        "dispatch.earliest_time": DETECT_EARLIEST,
        "dispatch.latest_time": "now",
        "dispatch.index_earliest": DETECT_INDEXED,
        "dispatch.index_latest": "now",
        "dispatch.allow_partial_results": "false",
        "cron_schedule": _quarterly(DETECT_MINUTES, place),
        "enableSched": "1",
        # Continuous scheduling: no window is ever left out, and one run at a time writes the histories.
        "realtime_schedule": "0",
        "max_concurrent": "1",
        "schedule_priority": "higher",
        "is_visible": "true",
        "disabled": "1",
    }


def backfills(detection: Detection) -> Iterator[tuple[str, Stanza]]:
    """The back-fill of a detection, and where it has several sources one of each, for a source that comes later."""
    yield f"{PREFIX} - {detection.id} - Backfill", backfill_settings(detection, detection.sources)
    if len(detection.sources) > 1:
        for source in detection.sources:
            yield f"{PREFIX} - {detection.id} - Backfill {source}", backfill_settings(detection, [source])


def backfill_settings(detection: Detection, sources: Sequence[str]) -> Stanza:
    return {
        "description": (
            f"{detection.name}: learns from what is already indexed of {', '.join(sources)}, without judging it. Run "
            "it once by hand over the last 44 days before you enable the detection, never beside another search of it; "
            f"| cbahealth detection={detection.id} shows how far it has come."
        ),
        "search": detect_spl(detection, learn="only", sources=sources),
        "dispatch.earliest_time": "-44d@d",
        "dispatch.latest_time": "now",
        "dispatch.allow_partial_results": "false",
        "is_visible": "true",
    }


def rows_settings(detection: Detection) -> Stanza:
    """For searches by hand and for backtests: reads only, so nothing may be learned on the way to the rows."""
    spl = _piped(rows_spl(detection))
    return {
        "description": (
            f"{detection.name}: the rows that it judges, one for each kind of event in a quarter of an hour. Writes "
            f'nothing. | savedsearch "{PREFIX} - {detection.id} - Rows" | cbabacktest detection={detection.id} '
            'changed="training_days=20" compares settings; see docs/tuning.md.'
        ),
        "search": spl.replace("cbahome learn=true", "cbahome learn=false"),
        "dispatch.earliest_time": "-30d@d",
        "dispatch.latest_time": "now",
        "dispatch.allow_partial_results": "false",
        "is_visible": "true",
    }


def variation_settings(detection: Detection, variation: Variation, place: int) -> Stanza:
    document = detection.document
    domain = str(document.get("security_domain", "access"))
    entity = detection.entity
    message = f"{variation.name}: ${entity}$. $explanation$"
    risk = RISK_SCORES[variation.severity]
    annotations = {"mitre_attack": [*detection.techniques], "type": ["Anomaly"]}
    drilldowns = [
        {"name": d.name, "search": d.search, "earliest_offset": "$first_time$", "latest_offset": "$drilldown_end$"}
        for d in detection.drilldowns
    ]
    risk_object = {"risk_object_field": entity, "risk_object_type": RISK_OBJECT_TYPES.get(entity, "other")}
    next_steps = "\n".join(f"{at}. {text}" for at, text in enumerate(document["investigative_actions"], 1))
    return {
        "description": str(document["description"]),
        "search": raise_spl(detection, variation),
        "dispatch.earliest_time": RAISE_EARLIEST,
        "dispatch.latest_time": "now",
        "cron_schedule": _quarterly(RAISE_MINUTES, place),
        "enableSched": "1",
        "realtime_schedule": "0",
        "schedule_window": "5",
        "is_visible": "false",
        "counttype": "number of events",
        "relation": "greater than",
        "quantity": "0",
        "alert.track": "0",
        "alert.digest_mode": "1",
        "alert.suppress": "1",
        "alert.suppress.fields": "finding_id",
        "alert.suppress.period": f"{detection.periods.deduplication * 24}h",
        "action.correlationsearch.enabled": "1",
        "action.correlationsearch.label": variation_stanza(detection, variation),
        "action.correlationsearch.annotations": json.dumps(annotations),
        "action.notable": "1",
        "action.notable.param.rule_title": f"{variation.name}: ${entity}$",
        "action.notable.param.rule_description": "$explanation$",
        "action.notable.param.security_domain": domain,
        "action.notable.param.severity": variation.severity,
        "action.notable.param.nes_fields": ",".join(detection.deduplicate_by),
        "action.notable.param.drilldown_searches": json.dumps(drilldowns),
        "action.notable.param.next_steps": json.dumps({"version": 1, "data": next_steps}),
        "action.notable.param._entities": json.dumps([{**risk_object, "risk_score": risk}]),
        "action.risk": "1",
        # Older releases of Enterprise Security read the one message, newer ones that of each object.
        "action.risk.param._risk_message": message,
        "action.risk.param._risk_score": "0",
        "action.risk.param._risk": json.dumps([{**risk_object, "risk_score": risk, "risk_message": message}]),
        "disabled": "1",
    }


def quarantine_settings() -> Stanza:
    """Keeps the users to whom AWS has attached a quarantine policy, which it does when it finds their key in public."""
    return {
        "description": "Remembers the AWS users whose access key AWS has quarantined as compromised.",
        "search": "`cba_quarantined_users`\n| outputlookup append=true key_field=_key cba_quarantined",
        "dispatch.earliest_time": DETECT_EARLIEST,
        "dispatch.latest_time": "now",
        "cron_schedule": "*/15 * * * *",
        "enableSched": "1",
        "realtime_schedule": "0",
        "is_visible": "true",
        "disabled": "1",
    }


def maintenance_settings() -> Stanza:
    """Forgets what counts no longer."""
    return {
        "description": "Deletes histories and signals that are older than anything still looked at, every night.",
        "search": "| cbaforget",
        "dispatch.earliest_time": "-24h@h",
        "dispatch.latest_time": "now",
        "cron_schedule": "41 3 * * *",
        "enableSched": "1",
        "realtime_schedule": "0",
        "schedule_window": "60",
        "is_visible": "true",
        "disabled": "1",
    }


def write(files: Mapping[str, str], root: Path) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def stale(files: Mapping[str, str], root: Path) -> list[str]:
    """The generated files that are missing or differ from what is checked in."""
    paths = {name: root / name for name in files}
    return [name for name, path in paths.items() if not path.exists() or path.read_text("utf-8") != files[name]]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev generate", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a generated file is stale")
    options = parser.parse_args(arguments)
    try:
        detections = load(ROOT / "detections")
        files = {**generate(detections), **configuration_page.files(ROOT), **pages.files(detections)}
        files.update(sources.files(ROOT))
    except (DetectionErrors, sources.Faults) as error:
        print(error, file=sys.stderr)
        return 1
    if options.check:
        differing = stale(files, ROOT)
        for name in differing:
            print(f"{name} differs from what its source generates; run ./dev generate", file=sys.stderr)
        return 1 if differing else 0
    write(files, ROOT)
    print(f"{len(files)} files written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
