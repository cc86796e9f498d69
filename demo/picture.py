"""`./dev picture`: docs/screenshots/triage.png, an animated picture of a triage over the state of the demo.

It is an APNG, which browsers show like any other picture. Needs Node.js and Chromium, as ./dev browser-test does.
"""

from __future__ import annotations

import argparse
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import zlib
from pathlib import Path
from typing import Iterator, Optional, Sequence

from demo import configuration
from lab import eventfile
from lab.errors import LabError
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from lab.serve import Server, Site, build_viewer
from lab.state import DEMO_STATE, ROOT, is_state

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PICTURE = ROOT / "docs" / "screenshots" / "triage.png"
SECONDS = 3
"""How long each step is shown."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def animated(frames: Sequence[bytes], seconds: int = SECONDS) -> bytes:
    """One animated PNG of PNGs of the same size and kind, shown one after the other without end.

    https://www.w3.org/TR/png-3/#apng-frame-based-animation
    """
    (kind, head), *_rest = _chunks(frames[0])
    assert kind == b"IHDR"
    width, height = struct.unpack(">II", head[:8])
    made, number = _SIGNATURE + _chunk(kind, head) + _chunk(b"acTL", struct.pack(">II", len(frames), 0)), 0
    for at, frame in enumerate(frames):
        chunks = list(_chunks(frame))
        if chunks[0] != (kind, head):
            raise ValueError(f"frame {at + 1} is of another size or kind than the first")
        control = struct.pack(">IIIIIHHBB", number, width, height, 0, 0, seconds, 1, 0, 0)
        made, number = made + _chunk(b"fcTL", control), number + 1
        for name, data in chunks:
            if name == b"IDAT" and at == 0:
                made += _chunk(b"IDAT", data)
            elif name == b"IDAT":
                made, number = made + _chunk(b"fdAT", struct.pack(">I", number) + data), number + 1
    return made + _chunk(b"IEND", b"")


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not png.startswith(_SIGNATURE):
        raise ValueError("not a PNG")
    at = len(_SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="./dev picture", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--state", type=Path, metavar="DIR", default=DEMO_STATE, help="of what (default: the demo's)")
    parser.add_argument(
        "--configuration",
        action="store_true",
        help="instead screenshots of the configuration page (after ./dev package)",
    )
    options = parser.parse_args(arguments)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        if browser is None:
            raise LabError("Chromium is needed (Debian, Ubuntu: apt install chromium)")
        if options.configuration:
            build_viewer()
            for path in configuration.take(browser):
                print(path)
            return 0
        if not is_state(options.state):
            raise LabError("is no state; run ./dev demo first", options.state)
        viewer = build_viewer()
        with tempfile.TemporaryDirectory(prefix="cba-picture-") as folder:
            # A verdict is given: not in the demo's own state.
            state = Path(shutil.copytree(options.state, Path(folder) / "state"))
            with SearchHead(APP_DIR, state) as head:
                count = head.events.add(eventfile.read(state))
                with Server(Site(head, APP_DIR, viewer, f"lab, demo: {count:,} events"), 0) as server:
                    threading.Thread(target=server.serve_forever, daemon=True).start()
                    script = str(ROOT / "demo" / "picture.mjs")
                    done = subprocess.run(["node", script, server.address, browser, folder], check=False)
                    server.shutdown()
            if done.returncode:
                raise LabError("the pages could not be photographed (above)")
            frames = [path.read_bytes() for path in sorted(Path(folder).glob("*.png"))]
        PICTURE.write_bytes(animated(frames))
    except LabError as error:
        print(f"./dev picture: {error}", file=sys.stderr)
        return 1
    print(f"{PICTURE}: {len(frames)} steps, {PICTURE.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
