"""| cbageo ip=<field>: adds country, AS, cloud provider and region of an address. Runs on indexers, too. No network."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import AnnotatingCommand, ip_database  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch, validators  # noqa: E402
from cba.command.table import Table, columns_of  # noqa: E402
from cba.enrich.geo import GEO_FIELDS, open_reader  # noqa: E402


@Configuration(distributed=False)
class CbaGeoCommand(AnnotatingCommand):
    """Looks addresses up in the app's own database, or in the one named by `database`. It runs on the search head: the
    database does not travel to the indexers (default/distsearch.conf)."""

    ip = Option(default="src_ip", validate=validators.Fieldname(), doc="field that holds the address")
    database = Option(doc="an MMDB of your own (which: the guide's page Security) that replaces country and AS")

    _reader = None

    def needs(self):
        return (self.ip,)

    def adds(self):
        return GEO_FIELDS

    def annotate(self, table: Table):
        if self._reader is None:
            self._reader = open_reader(self.database, lambda: ip_database(self))
        lookup = self._reader.lookup
        return columns_of((lookup(text) for text in table.column(self.ip)), len(GEO_FIELDS))


dispatch(CbaGeoCommand, sys.argv, sys.stdin, sys.stdout, __name__)
