"""`./dev browser-test`: every page in a real browser over a state of its own: a short demo, or a copy of --state.

Needs Node.js (as ./dev serve) and Chromium (Debian, Ubuntu: apt install chromium). Screenshots go to build/screenshots, with
--docs to docs/screenshots.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Optional, Sequence

from lab import eventfile
from lab.errors import LabError
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from lab.serve import Server, Site, build_viewer
from lab.state import DEMO_STATE, ROOT, is_state

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SCREENSHOTS, OF_DOCS = ROOT / "build" / "screenshots", ROOT / "docs" / "screenshots"
SCHEMA = ROOT / "tests" / "views" / "dashboard.schema.json.gz"


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="./dev browser-test", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--state", type=Path, metavar="DIR", default=DEMO_STATE, help="a copy of it is shown (default: the demo's)"
    )
    parser.add_argument("--schema", action="store_true", help="also renew the schema that tests/views checks with")
    parser.add_argument("--docs", action="store_true", help="renew the screenshots of the docs")
    options = parser.parse_args(arguments)
    screenshots = OF_DOCS if options.docs else SCREENSHOTS
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("./dev browser-test: Chromium is needed (Debian, Ubuntu: apt install chromium)", file=sys.stderr)
        return 1
    if not is_state(options.state):
        print(f"./dev browser-test: {options.state} is no state; run ./dev demo first", file=sys.stderr)
        return 1
    screenshots.mkdir(parents=True, exist_ok=True)
    try:
        viewer = build_viewer()
        with tempfile.TemporaryDirectory(prefix="cba-browser-") as folder:
            # A verdict is given: not in the demo's own state.
            state = Path(shutil.copytree(options.state, Path(folder) / "state"))
            with SearchHead(APP_DIR, state) as head:
                count = head.events.add(eventfile.read(state))
                with Server(Site(head, APP_DIR, viewer, f"lab, demo: {count:,} events"), 0) as server:
                    threading.Thread(target=server.serve_forever, daemon=True).start()
                    script = ROOT / "tests" / "browser" / "pages.mjs"
                    schema = [str(SCHEMA)] if options.schema else []
                    try:
                        done = subprocess.run(
                            ["node", str(script), server.address, browser, str(screenshots), *schema], check=False
                        )
                    finally:
                        server.shutdown()
    except LabError as error:
        print(f"./dev browser-test: {error}", file=sys.stderr)
        return 1
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
