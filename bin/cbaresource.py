"""| cbaresource fqdn=<field>: adds the cloud resource a name or URL belongs to. Runs on indexers, too. No network."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import AnnotatingCommand  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch, validators  # noqa: E402
from cba.command.table import Table, columns_of  # noqa: E402
from cba.enrich.resource import RESOURCE_FIELDS, open_reader  # noqa: E402


@Configuration()
class CbaResourceCommand(AnnotatingCommand):
    """Looks names up in the app's lookup cba_cloud_suffixes.csv, or in the file named by `suffixes`."""

    fqdn = Option(default="fqdn", validate=validators.Fieldname(), doc="field that holds the name or URL")
    suffixes = Option(doc="a CSV file (where: the guide's page Security) that replaces cba_cloud_suffixes.csv")

    _reader = None

    def needs(self):
        return (self.fqdn,)

    def adds(self):
        return RESOURCE_FIELDS

    def annotate(self, table: Table):
        if self._reader is None:
            self._reader = open_reader(self.suffixes)
        lookup = self._reader.lookup
        return columns_of((lookup(text) for text in table.column(self.fqdn)), len(RESOURCE_FIELDS))


dispatch(CbaResourceCommand, sys.argv, sys.stdin, sys.stdout, __name__)
