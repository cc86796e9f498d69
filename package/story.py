"""What Enterprise Security's content management, its use case library and Security Essentials show of the alerts:
default/analyticstories.conf, and the `action.escu` settings of each.

The keys are those of contentctl, which makes Splunk's own Enterprise Security Content Update: its templates
analyticstories_*.j2 and savedsearches_detections.j2, https://github.com/splunk/contentctl, and
https://help.splunk.com/en/splunk-enterprise-security-8/security-content-update/how-to-use-splunk-security-content/5.8/use-splunk-security-content/escu-components
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterable, Mapping

import yaml

from cba.detection.model import Detection, source_search, variation_search
from cba.terms import SOURCE_LABELS

FILE = "default/analyticstories.conf"
SOURCE = "content/story.yml"
AUTHOR = "Cloud Behavior Analytics contributors"
TYPE = "Anomaly"

Story = Mapping[str, Any]
Stanza = dict[str, str]


def read(root: Path) -> Story:
    """The story."""
    found: Story = yaml.safe_load((root / SOURCE).read_text("utf-8"))
    return found


def files(story: Story, detections: Iterable[Detection], generated: str) -> dict[str, str]:
    """The conf; `generated` says so at its top."""
    listed = list(detections)
    stanzas: dict[str, Stanza] = {}
    names = []
    for detection in listed:
        for variation in detection.all_variations:
            name = variation_search(detection, variation)
            names.append(name)
            stanzas[f"savedsearch://{name}"] = {
                "type": "detection",
                "asset_type": "Endpoint" if "endpoint" in detection.sources else "Cloud",
                "confidence": "medium",
                "explanation": _line(detection.document["description"]),
                "how_to_implement": how_to_implement(detection),
                "annotations": json.dumps(annotated(story, detection)),
                "known_false_positives": false_positives(detection),
                "providing_technologies": "null",
            }
    stanzas[f"analytic_story://{story['name']}"] = {
        "category": story["category"],
        "last_updated": story["last_updated"],
        "version": str(story["version"]),
        "references": json.dumps(story["references"]),
        "maintainers": json.dumps([{"company": "-", "email": "-", "name": AUTHOR}]),
        "spec_version": "3",
        "searches": json.dumps(names),
        "description": _line(story["description"]),
        "narrative": _line(story["narrative"]),
    }
    text = "".join(
        f"\n[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in stanza.items())
        for name, stanza in stanzas.items()
    )
    return {FILE: f"# {generated}\n{text}"}


def annotated(story: Story, detection: Detection) -> dict[str, list[str]]:
    """What an alert's notable and risk events are annotated with."""
    return {
        "analytic_story": [story["name"]],
        "data_source": data_sources(detection),
        "mitre_attack": [*detection.techniques],
        "type": [TYPE],
    }


def managed(story: Story, detection: Detection) -> Stanza:
    """The settings of an alert that content management and Security Essentials show."""
    return {
        "action.escu": "0",
        "action.escu.enabled": "1",
        "action.escu.search_type": "detection",
        "action.escu.analytic_story": json.dumps([story["name"]]),
        "action.escu.mappings": json.dumps({"mitre_attack": [*detection.techniques]}),
        "action.escu.confidence": "medium",
        "action.escu.eli5": _line(detection.document["description"]),
        "action.escu.how_to_implement": how_to_implement(detection),
        "action.escu.known_false_positives": false_positives(detection),
    }


def data_sources(detection: Detection) -> list[str]:
    """What its logs are called."""
    labels = (SOURCE_LABELS[source][1] for source in detection.sources)
    return [label[0].upper() + label[1:] for label in (each.removeprefix("the ") for each in labels)]


def how_to_implement(detection: Detection) -> str:
    """In a line what has to be on."""
    judges = " or ".join(source_search(source, "Judge") for source in detection.sources)
    return (
        f"Needs {', '.join(data_sources(detection))}. Run the report CBA - Enable what is recommended once: it turns "
        f"{judges} on where there is data; then enable the variations that you want. The page Welcome leads through it."
    )


def false_positives(detection: Detection) -> str:
    """Them in a line."""
    return " ".join(f"{_line(each).rstrip('.')}." for each in detection.document["false_positives"])


def _line(text: object) -> str:
    return " ".join(str(text).split())
