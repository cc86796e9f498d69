"""splunkd's REST handler of the configuration page: reads and writes cloud_behavior_analytics_settings.conf.

It takes the place of the file of this name that ucc-gen generates: the same endpoint, but with one declaration of the
settings (cba.settings) and its words for what is wrong, all faults at once. What is set then goes where the searches
look: into macros, and into the alert actions of the variations' searches.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
from urllib.parse import urlsplit

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]

from solnlib.splunk_rest_client import SplunkRestClient  # noqa: E402
from splunktaucclib.rest_handler import admin_external, util  # noqa: E402
from splunktaucclib.rest_handler.endpoint import MultipleModel, RestModel, field  # noqa: E402
from splunktaucclib.rest_handler.error import RestError  # noqa: E402

from cba.detection.catalogue import load  # noqa: E402
from cba.errors import CbaError  # noqa: E402
from cba.settings import CONF, TABS, effects, faults, tab  # noqa: E402
from cba.store.configuration import alert_actions, settings, write_macros, write_searches  # noqa: E402
from cba.store.connection import connected  # noqa: E402

APP = "cloud_behavior_analytics"
ALERTS = "alerts"
"""The tab that says what becomes of alerts."""

ENDPOINT = MultipleModel(
    CONF,
    models=[
        RestModel([field.RestField(setting.key, default=setting.default) for setting in tab.settings], name=tab.stanza)
        for tab in TABS
    ],
    app=APP,
)


class SettingsHandler(admin_external.AdminExternalHandler):
    """Refuses values that cannot work, in sentences, before anything is written."""

    _before: dict = {}

    def edit_hook(self, session_key, config_name, stanza_id, payload):
        keys = tab(stanza_id).defaults
        stored = (entity.content for entity in self.handler.get(stanza_id))
        self._before = {key: content.get(key) or "" for content in stored for key in keys if key in content}
        changed = {**self._before, **payload}
        found = faults(stanza_id, changed)
        if not found and stanza_id == ALERTS:
            found = effects.unknown_actions(changed, self._installed)
        if found:
            raise RestError(400, " ".join(found))

    def handleEdit(self, confInfo):  # noqa: N802, N803 (splunktaucclib's names)
        super().handleEdit(confInfo)
        stanza = self.callerArgs.id
        try:
            service = self._service
            values = settings(service, stanza)
            write_macros(service, effects.macros(stanza, values))
            if stanza == ALERTS:
                told = effects.settings_of_alerts(load().detections, values, self._installed, self._before)
                write_searches(service, told)
        except CbaError as error:
            raise RestError(500, f"The settings are kept, but do not all take effect yet: {error}") from error

    @functools.cached_property
    def _service(self):
        return connected(SplunkRestClient(self.getSessionKey(), APP, **self._splunkd()))

    @functools.cached_property
    def _installed(self):
        return alert_actions(self._service)

    @staticmethod
    def _splunkd():
        uri = urlsplit(admin_external.get_splunkd_endpoint())
        return {"scheme": uri.scheme, "host": uri.hostname, "port": uri.port}


if __name__ == "__main__":
    logging.getLogger().addHandler(logging.NullHandler())
    util.remove_http_proxy_env_vars()
    admin_external.handle(ENDPOINT, handler=SettingsHandler)
