"""Enrichment: what an address is besides a number."""

from __future__ import annotations

from .errors import GeoDatabaseError
from .geo import GEO_FIELDS, DatabaseInfo, Geo, GeoReader, attribution, open_reader

__all__ = ["GEO_FIELDS", "DatabaseInfo", "Geo", "GeoDatabaseError", "GeoReader", "attribution", "open_reader"]
