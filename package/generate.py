"""Generates what follows from `content/` and the declared settings; nothing it writes is edited by hand.

    python package/generate.py           writes the files
    python package/generate.py --check   exits with 1 and names every file that differs from what it would write

Which module writes what: `catalogue_files` the catalogue of the commands and its lookups, `searches` the saved
searches, `story` what Enterprise Security shows of them, `detection_page` docs/detections/<id>.md, `guide` the same and
the user's documents as HTML, `findings_lookup` one line of transforms.conf, `finding_schema` docs/finding.schema.json,
`readme_table` the table in README.md, `configuration_page` what follows from the declared settings, `pages` the
analysts' pages.
PyYAML and markdown-it-py are needed here and nowhere in the app.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Mapping

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / name) for name in ("package", "bin", "lib")]

import catalogue_files  # noqa: E402
import finding_schema  # noqa: E402
import findings_lookup  # noqa: E402
import guide  # noqa: E402
import pages  # noqa: E402
import readme_table  # noqa: E402
import searches  # noqa: E402
import sources  # noqa: E402
import story  # noqa: E402
from detection_page import doc_page  # noqa: E402
from shapes import check_fields, shapes  # noqa: E402

from cba.detection.reader import read_content  # noqa: E402
from cba.errors import DetectionErrors  # noqa: E402
from content import documents_of  # noqa: E402

GENERATED = "Generated from content/ by ./dev generate; edit that instead."


def generate(root: Path) -> dict[str, str]:
    """Every generated file: path below the root -> content. Raises DetectionErrors with every fault of the content."""
    return {**of_content(root), **of_settings(root)}


def of_settings(root: Path) -> dict[str, str]:
    """What follows from the declared settings. Each detection has a switch, so they are declared from the catalogue as
    it is on disk when this is called first."""
    import configuration_page

    return configuration_page.files(root)


def of_content(root: Path) -> dict[str, str]:
    """What follows from content/ alone. Raises DetectionErrors with every fault of it."""
    profiles, detection_documents = documents_of(root)
    content = read_content(profiles, detection_documents)
    check_fields(content, detection_documents)
    shape_of = shapes(content)
    detections, about = list(content.detections.values()), story.read(root)
    documents = {f"docs/detections/{each.id}.md": doc_page(each, GENERATED) for each in detections}
    documents.update(finding_schema.documents(root))
    return {
        **catalogue_files.files(profiles, detections, shape_of, GENERATED),
        "default/savedsearches.conf": searches.savedsearches_conf(content, shape_of, about, GENERATED),
        **story.files(about, detections, GENERATED),
        **documents,
        **guide.files(root, documents),
        **findings_lookup.files(root, detections),
        **finding_schema.files("Generated from bin/cba/findings/export.py by ./dev generate; edit that instead."),
        **readme_table.files(root, detections),
        **sources.files(root),
        **pages.files(content.detections),
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
        files = of_content(ROOT)
    except (DetectionErrors, sources.Faults) as error:
        print(error, file=sys.stderr)
        return 1
    if not options.check:
        write(files, ROOT)
    files |= of_settings(ROOT)
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
