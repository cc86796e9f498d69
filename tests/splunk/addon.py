"""`./dev addon-test`: pytest-splunk-addon's knowledge tests of this app, against the lab or a Splunk of yours.

The plugin runs every saved search of the app and expects results. The lab is filled for that with the demo's logs and
what every detection finds in them. A Splunk of yours (--splunk-host) is taken as it is: what has found nothing there
fails. Arguments that are not known here go to pytest.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Optional, Sequence

from demo import Organization, events, lists
from lab.conf import AppConf, load_app
from lab.progress import Progress
from lab.remote import Remote
from lab.replay import APP_DIR, is_shipped_schedule
from lab.searchhead import SearchHead
from lab.splunkd import PASSWORD, USERNAME
from lab.tls import self_signed

SUITE = Path(__file__).with_name("addon_suite.py")
HOUR, DAY = 3600, 86_400
EVENTS_PER_DAY = 500
ALERT = "| cbaalerts "


def _arguments(arguments: Optional[Sequence[str]]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(prog="./dev addon-test", description=__doc__)
    parser.add_argument("--python", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--splunk-host", help="a Splunk instead of the lab; it must have the app, with findings")
    parser.add_argument("--splunk-port", default="8089", help="its management port (HTTPS; default 8089)")
    parser.add_argument("--splunk-user", default="admin", help="who logs in (default admin)")
    parser.add_argument("--splunk-password", default="", help="the password")
    parser.add_argument("--splunk-hec-port", default="8088", help="the HTTP Event Collector's port (default 8088)")
    parser.add_argument("--splunk-hec-scheme", default="https", help="https (default) or http")
    parser.add_argument("--splunk-hec-token", default="", help="a token of it: the plugin insists on one")
    return parser.parse_known_args(arguments)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Returns pytest's exit code."""
    options, rest = _arguments(arguments)
    with tempfile.TemporaryDirectory(prefix="cba-addon-") as name:
        folder = Path(name)
        staged = stage(load_app(APP_DIR, APP_DIR / "no-local"), folder / "app")
        if options.splunk_host:
            keys = ("host", "port", "user", "password", "hec_port", "hec_scheme", "hec_token")
            address = {key: str(getattr(options, f"splunk_{key}")) for key in keys}
            return _run(options.python, folder, staged, address, rest)
        with filled(folder / "state") as head:
            port = str(head.splunkd.listen(self_signed(folder)))
            address = {
                "host": "127.0.0.1", "port": port, "user": USERNAME, "password": PASSWORD, "hec_port": port,
                "hec_scheme": "https", "hec_token": head.collector.token,
            }  # fmt: skip
            return _run(options.python, folder, staged, address, rest)


def stage(app: AppConf, folder: Path) -> Path:
    """The app as the plugin reads it. It pastes a time range in front of a search, which no search that begins with a
    pipe survives, but leaves `| savedsearch <name>` alone: so that is what every saved search says here, and the suite
    knows what to do with it."""
    default = folder / "default"
    default.mkdir(parents=True)
    for path in (app.app_dir / "default").glob("*.conf"):
        if path.name != "savedsearches.conf":
            (default / path.name).write_bytes(path.read_bytes())
    stanzas = [f'[{name}]\nsearch = | savedsearch "{name}"\n' for name in app.stanzas("savedsearches")]
    (default / "savedsearches.conf").write_text("\n".join(stanzas), "utf-8")
    (folder / "pytest-splunk-addon-data.conf").write_text("", "utf-8")  # no samples: the app has no inputs
    return folder


@contextmanager
def filled(state: Path) -> Iterator[SearchHead]:
    """A lab that holds the demo's logs and what the app's searches make of them: its attacks raise every variation.
    Alerts run on the first day only, so that run by hand they have something to show."""
    organization = Organization(events_per_day=EVENTS_PER_DAY)
    now = organization.last_time + DAY
    with SearchHead(APP_DIR, state) as head:
        remote = Remote.connect(head.splunkd.uri, USERNAME, PASSWORD)
        stanzas = head.app.stanzas("savedsearches")
        for name in stanzas:  # a disabled one cannot be run
            remote.service.confs["savedsearches"][name].submit({"disabled": "0"})
        lists.fill(head, lists.all_rows(organization))
        print("Generating logs ...", file=sys.stderr)
        head.events.add(events(organization))
        alerts = {name for name, stanza in stanzas.items() if ALERT in f"{stanza.get('search')} "}
        first = int(organization.first_time) // DAY * DAY
        head.scheduler.replay(first, first + DAY, "1d", is_shipped_schedule)
        with Progress(int(now) - first - DAY, "Running the searches") as progress:
            head.scheduler.replay(
                first + DAY, int(now) // HOUR * HOUR, "1d", lambda name: is_shipped_schedule(name) and name not in alerts,
                lambda done, _all, search: progress.update(done, search),
            )  # fmt: skip
        head.jobs.clock = lambda: now
        yield head


def _run(python: str, folder: Path, staged: Path, address: dict[str, str], rest: list[str]) -> int:
    work = folder / "work"  # the plugin leaves folders where it runs, and must not read this repository's settings
    work.mkdir()
    suite = work / "test_app.py"
    suite.write_bytes(SUITE.read_bytes())
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [
        python, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rfEs", f"--rootdir={work}", str(suite),
        "--splunk-type=external", f"--splunk-app={staged}", f"--splunk-data-generator={staged}",
        "--ingest-events=False", "--search-retry=0", "--search-interval=0",
        *(f"--splunk-{key.replace('_', '-')}={value}" for key, value in address.items()), *rest,
    ]  # fmt: skip
    return subprocess.run(command, cwd=work, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
