"""`./dev browser-test`: every page in a real browser, over a copy of the demo's state (or of --state), and over none.

Needs Node.js (as ./dev serve) and Chromium (Debian, Ubuntu: apt install chromium). Screenshots go to build/screenshots; with
--docs some of them also to docs/screenshots.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Iterator, Optional, Sequence

from lab import eventfile
from lab.errors import LabError
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from lab.serve import Server, Site, build_viewer
from lab.state import DEMO_STATE, ROOT, is_state

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SCREENSHOTS, OF_DOCS = ROOT / "build" / "screenshots", ROOT / "docs" / "screenshots"
DOCUMENTED = {
    "findings": "findings-light-1280",
    "finding": "a-finding",
    "verdict": "laptop-verdict",
    "entity": "a-role",
    "entity-dark": "an-entity-dark",
    "health": "health-light-1280",
    "tuning": "settings-tried",
    "welcome": "welcome-light-1280",
}
"""Screenshots of the docs -> those that the run takes."""
SCHEMA = ROOT / "tests" / "views" / "dashboard.schema.json.gz"


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="./dev browser-test", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--state", type=Path, metavar="DIR", default=DEMO_STATE, help="a copy of it is shown (default: the demo's)"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="every page in one look, a case of one detection in place of all, one of the hostile values",
    )
    parser.add_argument("--schema", action="store_true", help="also renew the schema that tests/views checks with")
    parser.add_argument("--docs", action="store_true", help="renew the screenshots of the docs")
    options = parser.parse_args(arguments)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("./dev browser-test: Chromium is needed (Debian, Ubuntu: apt install chromium)", file=sys.stderr)
        return 1
    if not is_state(options.state):
        print(f"./dev browser-test: {options.state} is no state; run ./dev demo first", file=sys.stderr)
        return 1
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    try:
        viewer = build_viewer()
        with tempfile.TemporaryDirectory(prefix="cba-browser-") as folder, ExitStack() as stack:
            # A verdict is given: not in the demo's own state.
            state = Path(shutil.copytree(options.state, Path(folder) / "state"))
            address = stack.enter_context(_served(state, viewer))
            nothing = stack.enter_context(_served(Path(folder) / "empty", viewer))
            more = (["--quick"] if options.quick else []) + ([str(SCHEMA)] if options.schema else [])
            script = str(ROOT / "tests" / "browser" / "pages.mjs")
            done = subprocess.run(["node", script, address, nothing, browser, str(SCREENSHOTS), *more], check=False)
    except LabError as error:
        print(f"./dev browser-test: {error}", file=sys.stderr)
        return 1
    if options.docs and not done.returncode:
        for name, taken in DOCUMENTED.items():
            shutil.copyfile(SCREENSHOTS / f"{taken}.png", OF_DOCS / f"{name}.png")
    return done.returncode


@contextmanager
def _served(state: Path, viewer: Path) -> Iterator[str]:
    """Serves the pages over a state, a new one where there is none; gives the address."""
    known = is_state(state)
    with SearchHead(APP_DIR, state) as head:
        count = head.events.add(eventfile.read(state)) if known else 0
        with Server(Site(head, APP_DIR, viewer, f"lab, demo: {count:,} events"), 0) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield server.address
            finally:
                server.shutdown()


if __name__ == "__main__":
    sys.exit(main())
