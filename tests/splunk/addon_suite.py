"""The knowledge tests of pytest-splunk-addon, run by addon.py in an environment of their own (not by ./dev test).

The plugin runs every saved search of the app and wants results: a search that finds nothing, or fails, fails here.
"""

from __future__ import annotations

import json
import re
import time

import pytest
from pytest_splunk_addon.fields_tests.test_templates import FieldTestTemplates
from splunklib.client import namespace
from splunksplwrapper.manager.jobs.sdk.job import SDKJobWrapper

APP = namespace(owner="nobody", app="cloud_behavior_analytics", sharing="app")
TIMES = {"dispatch.earliest_time": "-60d@d", "dispatch.latest_time": "now", "dispatch.index_earliest": "-60d@d"}
"""Every search looks at this much; most look at hours only when they are scheduled."""
QUIET = re.compile(" - (Judge|Backfill)$")
"""They answer findings that they touch: mostly none. That they do not fail is what can be asked of them."""
ALERT = re.compile(r"\| cbaalerts (?:detection=(\w+) )?variation=(\w+)")
FOUND = '| inputlookup cba_findings where {}variation="{}" | head 1 | table finding_id'
SAVED = re.compile(r'\| savedsearch "(.+)"')


class TestApp(FieldTestTemplates):
    """Saved searches, props, tags and eventtypes of the app (it has none of the last three: skipped), and errors in
    Splunk's own logs.

    Left out of the plugin's `Basic`: CIM and index-time tests. The app fills no data model and has no inputs.
    """


def found(service, detection, variation):
    """Whether there is a finding of a variation, of a detection or of any, which its alert can raise."""
    options = {"output_mode": "json", "app": "cloud_behavior_analytics", "earliest_time": "0"}
    return json.load(
        service.jobs.oneshot(FOUND.format(f'detection="{detection}" ' if detection else "", variation), **options)
    )["results"]


@pytest.fixture(scope="session")
def splunk_search_util(splunk_search_util):
    """Dispatches the saved searches that the plugin would run by `| savedsearch`, which is not made for searches of
    several lines (savedsearches.conf.spec, `search`). A disabled search cannot be run: skipped."""
    jobs = splunk_search_util.jobs
    create = jobs.create

    def create_or_dispatch(query, **options):
        named = SAVED.fullmatch(query)
        if named is None:
            return create(query, **options)
        search = jobs.connector.service.saved_searches[named[1], APP]
        if search["disabled"] == "1":
            pytest.skip("disabled there")
        if QUIET.search(named[1]):
            job = search.dispatch(**TIMES)
            while not job.is_done():
                time.sleep(0.2)
            assert job["isFailed"] != "1", job["messages"]
            pytest.skip("runs, and answers only findings that it touches")
        alert = ALERT.search(search["search"])
        if alert is not None and not found(jobs.connector.service, *alert.groups()):
            pytest.skip("there is no finding of the variation to raise")
        return SDKJobWrapper(jobs.connector, search.dispatch(**TIMES))

    jobs.create = create_or_dispatch
    return splunk_search_util
