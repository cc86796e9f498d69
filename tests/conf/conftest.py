"""The confs of the app under test: the checkout's, or an unpacked archive's (CBA_APP)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lab.conf import AppConf, Stanza, load_app, read_conf
from lab.replay import APP_DIR

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("CBA_SHARED_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def confs() -> dict[str, dict[str, Stanza]]:
    """File name below default/ -> stanzas as written. Reading fails for a key or stanza that stands there twice."""
    return {path.name: read_conf(path) for path in sorted((APP_DIR / "default").glob("*.conf"))}


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> AppConf:
    """The app as shipped: default only."""
    return load_app(APP_DIR, tmp_path_factory.mktemp("no-local"))


@pytest.fixture(scope="session")
def known_settings() -> Any:
    """What Splunk's spec files list: conf file -> version -> settings, stanzas."""
    path = SHARED.parent / "reference" / "conf-settings.json"
    if not path.exists():
        pytest.skip(f"the settings of Splunk's spec files are not here: {path} (set CBA_SHARED_DATA)")
    return json.loads(path.read_text("utf-8"))
