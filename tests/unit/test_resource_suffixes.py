"""cba.enrich.suffixes: the user's file is read forgivingly, and every fault is named with file, row and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from cba.enrich.resource import ResourceReader, open_reader
from cba.enrich.suffixes import SHIPPED_SUFFIXES, SuffixFileError, read_suffixes

HEADER = "suffix,provider,service,kind,labels,same_as,comment\n"


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "mine.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_the_shipped_file_is_in_order() -> None:
    rows = read_suffixes(SHIPPED_SUFFIXES)
    assert len(rows) > 900
    assert {"aws", "azure", "gcp", "cloudflare", "akamai", "digitalocean", "oracle", "ibm", "alibaba"} <= {
        r.provider for r in rows
    }


def test_what_spreadsheets_do_to_a_file_is_no_fault(tmp_path: Path) -> None:
    text = "\ufeffComment,Labels,Kind,Service,Provider,Suffix,Owner\r\n,1,tenant,x,acme,.Apps.ACME.example.,me\r\n,,,,,,\r\n\r\n,,shared,x,acme,acme.example\r\n"
    rows = read_suffixes(written(tmp_path, text))
    assert [(row.text, row.kind, row.labels) for row in rows] == [
        ("apps.acme.example", "tenant", 1),
        ("acme.example", "shared", 0),
    ]
    assert ResourceReader(rows).lookup("a.b.apps.acme.example").resource == "b.apps.acme.example"


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        (",acme,x,tenant,1,,", "suffix", "is not a domain name"),
        ("a b.example,acme,x,tenant,1,,", "suffix", "is not a domain name"),
        ("example,acme,x,tenant,1,,", "suffix", "two labels or more"),
        ("apps.*,acme,x,tenant,1,,", "suffix", "two labels or more"),
        ("a**.example.com,acme,x,tenant,1,,", "suffix", "at most one *"),
        ("a.example/x,acme,x,tenant,1,,", "suffix", "a path ends in /*"),
        ("a.example/*/x/*,acme,x,tenant,1,,", "suffix", "a path ends in /*"),
        ("a.example,Acme Inc,x,tenant,1,,", "provider", "is not a word"),
        ("a.example,acme,,tenant,1,,", "service", "is not a word"),
        ("a.example,acme,x,Tenant,1,,", "kind", "neither tenant nor shared"),
        ("a.example/*,acme,x,shared,,,", "kind", "write tenant"),
        ("a.example,acme,x,tenant,,,", "labels", "'' is not a number from 1 to 20 or all"),
        ("a.example,acme,x,tenant,0,,", "labels", "'0' is not a number"),
        ("a.example,acme,x,tenant,21,,", "labels", "'21' is not a number"),
        ("a.example,acme,x,tenant,²,,", "labels", "is not a number"),
        ("a.example/*,acme,x,tenant,all,,", "labels", "'all' is not a number from 1 to 20"),
        ("a.example,acme,x,shared,1,,", "labels", "names no tenant"),
        ("a.example,acme,x,tenant,1,b.example,", "same_as", "not the suffix of another tenant row"),
        ("a.example,acme,x,shared,,ok.example,", "same_as", "no tenants"),
        ("a.example,acme,x,tenant,2,ok.example,", "same_as", "another number of labels"),
        ("a.example,acme,x,tenant,1,*.ok.example,", "same_as", "not the suffix of another tenant row"),
        ("a.example,acme,x,tenant,1,a*.ok.example,", "same_as", "has more * than the suffix"),
        ("a.example,acme,x,tenant,1,ok.example/*,", "same_as", "without a path"),
        ("OK.example.,acme,x,tenant,1,,", "suffix", "stands in row 2 already"),
    ],
)
def test_a_wrong_cell(row: str, column: str, words: str, tmp_path: Path) -> None:
    fine = "ok.example,acme,x,tenant,1,,\na*.ok.example,acme,x,tenant,1,,\nok.example/*,acme,x,tenant,1,,\n"
    path = written(tmp_path, HEADER + fine + row + "\n")
    with pytest.raises(SuffixFileError) as caught:
        read_suffixes(path)
    assert str(caught.value).startswith(f"{path}: row 5, column {column}: ")
    assert words in str(caught.value) and "guide/cloud-resources.html" in str(caught.value)


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + "a.example,acme,x,tenant,no,,\n" * 12)
    with pytest.raises(SuffixFileError, match=r"row 2, column labels.*row 11, column labels.*and 2 more") as caught:
        read_suffixes(path)
    assert len(caught.value.faults) == 12


@pytest.mark.parametrize(
    ("text", "encoding", "words"),
    [
        ("", "utf-8", "row 1: no column suffix, provider, service, kind, labels"),
        ("root:x:0:0:secret\n", "utf-8", "row 1: no column suffix"),
        ("suffix;provider;service;kind;labels\n", "utf-8", "separated by commas"),
        ("suffix,provider,kind,labels\n", "utf-8", "row 1: no column service"),
        ("suffix,provider,service,kind,labels,kind\n", "utf-8", "column kind stands there twice"),
        (HEADER + "a.example,acme,x,tenant,1,,c,d\n", "utf-8", "row 2 has 8 cells; the header has 7 columns"),
        (HEADER + "a.example,acme,x,tenant,1,,é\n", "latin-1", "is not UTF-8 text"),
    ],
)
def test_a_wrong_file(text: str, encoding: str, words: str, tmp_path: Path) -> None:
    path = written(tmp_path, text, encoding)
    with pytest.raises(SuffixFileError) as caught:
        read_suffixes(path)
    assert str(caught.value).startswith(str(path)) and words in str(caught.value)
    assert "secret" not in str(caught.value), "a file that is something else is not shown"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SuffixFileError, match=r"none\.csv: cannot be read \(No such file"):
        read_suffixes(tmp_path / "none.csv")


def test_a_file_name_alone_lies_in_the_lookups_folder() -> None:
    assert open_reader("cba_cloud_suffixes.csv").lookup("a.web.app").resource == "a.web.app"


def reader_of(folder: Path, *rows: str) -> ResourceReader:
    return ResourceReader(read_suffixes(written(folder, HEADER + "".join(row + "\n" for row in rows))))


def test_the_last_stars_fill_those_of_same_as(tmp_path: Path) -> None:
    reader = reader_of(
        tmp_path,
        "*.store.*.acme.example,acme,x,tenant,all,,",
        "way-*.fips-*.*.acme.example,acme,x,tenant,all,*.store.*.acme.example,",
        "way.*.*.acme.example/b/*,acme,x,tenant,1,*.store.*.acme.example,",
    )
    assert reader.lookup("t.way-1.fips-z2.eu.acme.example").resource == "t.z2.store.eu.acme.example"
    assert reader.lookup("https://way.z2.eu.acme.example/b/T/c").resource == "t.z2.store.eu.acme.example"


def test_a_star_may_stand_for_nothing(tmp_path: Path) -> None:
    reader = reader_of(
        tmp_path, "crm*.acme.example,acme,x,tenant,1,,", "api.crm*.acme.example,acme,x,tenant,1,crm*.acme.example,"
    )
    assert reader.lookup("t.api.crm.acme.example").resource == "t.crm.acme.example"
    assert reader.lookup("t.api.crm4.acme.example").resource == "t.crm4.acme.example"


def test_the_way_is_left_out_only_where_the_provider_writes_it(tmp_path: Path) -> None:
    reader = reader_of(tmp_path, "a.example,azure,x,tenant,all,,", "b.example,acme,x,tenant,all,,")
    assert reader.lookup("t.privatelink.a.example").resource == "t.a.example"
    assert reader.lookup("privatelink.a.example").resource_scope == "shared"
    assert reader.lookup("t.privatelink.b.example").resource == "t.privatelink.b.example"
