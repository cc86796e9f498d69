"""cba.enrich.resource: which cloud resource a name belongs to, by the lookup as shipped."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cba.enrich import resource as resource_module
from cba.enrich.resource import CloudResource, ResourceReader, open_reader, read_name
from cba.enrich.suffixes import SHIPPED_SUFFIXES, TENANT, read_suffixes

shipped = open_reader()
ROWS = read_suffixes(SHIPPED_SUFFIXES)


@pytest.mark.parametrize(
    ("name", "resource", "suffix", "service", "provider"),
    [
        ("mybucket.s3.amazonaws.com", "mybucket.s3.amazonaws.com", "s3.amazonaws.com", "s3", "aws"),
        ("my.bucket.s3.amazonaws.com", "my.bucket.s3.amazonaws.com", "s3.amazonaws.com", "s3", "aws"),
        ("abc1.execute-api.eu-west-1.amazonaws.com", "abc1.execute-api.eu-west-1.amazonaws.com", "execute-api.*.amazonaws.com", "api-gateway", "aws"),
        ("u.lambda-url.us-east-1.on.aws", "u.lambda-url.us-east-1.on.aws", "lambda-url.*.on.aws", "lambda", "aws"),
        ("d1.cloudfront.net", "d1.cloudfront.net", "cloudfront.net", "cloudfront", "aws"),
        ("acc.blob.core.windows.net", "acc.blob.core.windows.net", "blob.core.windows.net", "blob", "azure"),
        ("app.azurewebsites.net", "app.azurewebsites.net", "azurewebsites.net", "app-service", "azure"),
        ("app-h1.westeurope-01.azurewebsites.net", "app-h1.westeurope-01.azurewebsites.net", "*-01.azurewebsites.net", "app-service", "azure"),
        ("cdn1.azureedge.net", "cdn1.azureedge.net", "azureedge.net", "cdn", "azure"),
        ("svc-abc-uc.a.run.app", "svc-abc-uc.a.run.app", "a.run.app", "cloud-run", "gcp"),
        ("svc-123.europe-west1.run.app", "svc-123.europe-west1.run.app", "*.run.app", "cloud-run", "gcp"),
        ("europe-west1-p.cloudfunctions.net", "europe-west1-p.cloudfunctions.net", "cloudfunctions.net", "cloud-functions", "gcp"),
        ("p.appspot.com", "p.appspot.com", "appspot.com", "app-engine", "gcp"),
        ("bkt.storage.googleapis.com", "bkt.storage.googleapis.com", "storage.googleapis.com", "storage", "gcp"),
        ("p.web.app", "p.web.app", "web.app", "firebase-hosting", "gcp"),
        ("worker.account.workers.dev", "account.workers.dev", "workers.dev", "workers", "cloudflare"),
        ("preview.site.pages.dev", "site.pages.dev", "pages.dev", "pages", "cloudflare"),
        ("pub-1.r2.dev", "pub-1.r2.dev", "r2.dev", "r2", "cloudflare"),
        ("b.fra1.digitaloceanspaces.com", "b.fra1.digitaloceanspaces.com", "*.digitaloceanspaces.com", "spaces", "digitalocean"),
        ("b.fra1.cdn.digitaloceanspaces.com", "b.fra1.cdn.digitaloceanspaces.com", "*.cdn.digitaloceanspaces.com", "spaces", "digitalocean"),
        ("b.s3.fr-par.scw.cloud", "b.s3.fr-par.scw.cloud", "s3.*.scw.cloud", "object-storage", "scaleway"),
        ("b.oss-eu-central-1.aliyuncs.com", "b.oss-eu-central-1.aliyuncs.com", "oss-*.aliyuncs.com", "oss", "alibaba"),
        ("tenant-my.sharepoint.com", "tenant-my.sharepoint.com", "sharepoint.com", "sharepoint", "microsoft365"),
    ],
)  # fmt: skip
def test_tenants(name: str, resource: str, suffix: str, service: str, provider: str) -> None:
    assert shipped.lookup(name) == CloudResource(resource, suffix, service, provider, "tenant")


@pytest.mark.parametrize(
    "name",
    [
        "b1.s3.eu-west-1.amazonaws.com",
        "b1.s3-eu-west-1.amazonaws.com",
        "b1.s3.dualstack.us-east-1.amazonaws.com",
        "b1.s3-accelerate.amazonaws.com",
        "B1.S3.AmazonAWS.com",
        "b1.s3.amazonaws.com.",
        "b1.s3.amazonaws.com:443",
        "*.b1.s3.amazonaws.com",
        " 'b1.s3.amazonaws.com' ",
        "https://b1.s3.amazonaws.com/key?X-Amz-Signature=1",
        "//user:pw@b1.s3.eu-west-1.amazonaws.com:8443/a/b#c",
        "https://s3.eu-west-1.amazonaws.com/b1/key",
        "s3.amazonaws.com/B1",
        "https://s3-us-west-2.amazonaws.com/b1?list-type=2",
    ],
)
def test_one_bucket_is_one_resource(name: str) -> None:
    assert shipped.lookup(name) == CloudResource("b1.s3.amazonaws.com", "s3.amazonaws.com", "s3", "aws", "tenant")


@pytest.mark.parametrize(
    ("url", "resource"),
    [
        ("https://storage.googleapis.com/bkt/a.txt", "bkt.storage.googleapis.com"),
        ("https://storage.googleapis.com/storage/v1/b/bkt/o", "bkt.storage.googleapis.com"),
        ("https://storage.cloud.google.com/bkt/a", "bkt.storage.googleapis.com"),
        ("https://script.google.com/macros/s/AKfyc_X/exec", "script.google.com/macros/s/AKfyc_X"),
        ("https://EU-docker.pkg.dev/proj/image", "eu-docker.pkg.dev/proj"),
        ("https://hooks.slack.com/services/T1/B2/secret", "hooks.slack.com/services/T1/B2"),
        ("https://prod-01.westeurope.logic.azure.com:443/workflows/12/triggers", "prod-01.westeurope.logic.azure.com/workflows/12"),
    ],
)  # fmt: skip
def test_tenants_in_paths(url: str, resource: str) -> None:
    found = shipped.lookup(url)
    assert (found.resource, found.resource_scope) == (resource, "tenant")


@pytest.mark.parametrize(
    ("name", "provider", "service"),
    [
        ("s3.amazonaws.com", "aws", "s3"),
        ("s3.eu-west-1.amazonaws.com", "aws", "s3"),
        ("s3-eu-west-1.amazonaws.com", "aws", "s3"),
        ("https://s3.amazonaws.com/", "aws", "s3"),
        ("https://s3.amazonaws.com/?list", "aws", "s3"),
        ("*.s3.amazonaws.com", "aws", "s3"),
        ("ec2.eu-west-1.amazonaws.com", "aws", "api"),
        ("ec2-3-1-2-3.eu-west-1.compute.amazonaws.com", "aws", "ec2"),
        ("server-13-32-1-2.fra2.r.cloudfront.net", "aws", "cloudfront"),
        ("a23-1-2-3.deploy.static.akamaitechnologies.com", "akamai", "cdn"),
        ("login.microsoftonline.com", "azure", "entra"),
        ("management.azure.com", "azure", "api"),
        ("storage.googleapis.com", "gcp", "storage"),
        ("https://storage.googleapis.com/_bad bucket", "gcp", "storage"),
        ("compute.googleapis.com", "gcp", "api"),
        ("script.google.com", "google_workspace", "apps-script"),
        ("https://script.google.com/home", "google_workspace", "apps-script"),
        ("fra1.digitaloceanspaces.com", "digitalocean", "spaces"),
        ("a.run.app", "gcp", "cloud-run"),
        ("cloudfront.net", "aws", "cloudfront"),
        ("s3.us-south.cloud-object-storage.appdomain.cloud", "ibm", "object-storage"),
    ],
)
def test_shared_endpoints_are_no_resources(name: str, provider: str, service: str) -> None:
    found = shipped.lookup(name)
    assert (found.resource, found.resource_scope) == ("", "shared")
    assert (found.resource_provider, found.resource_service) == (provider, service)


@pytest.mark.parametrize(
    "text",
    [
        "", "-", ".", "..", "com", "localhost", "www.example.com", "notamazonaws.com", "xs3.amazonaws.com.evil.org", "10.0.0.1",
        "52.1.2.3:443", "http://52.1.2.3/b1", "[2001:db8::1]:443", "2001:db8::1", "a..s3.amazonaws.com", "b1 .s3.amazonaws.com",
        "http://", "https:///x", "\x00", "\ud800.web.app", "x" * 64 + ".web.app", "a." * 130 + "web.app", "x" * 10_000, "*.*.web.app",
    ],
)  # fmt: skip
def test_everything_else_is_none(text: str) -> None:
    assert shipped.lookup(text) == CloudResource()


def test_names_outside_ascii_are_compared_in_their_ascii_form() -> None:
    assert shipped.lookup("MÜNCHEN.web.app").resource == "xn--mnchen-3ya.web.app"
    assert shipped.lookup("xn--mnchen-3ya.web.app").resource == "xn--mnchen-3ya.web.app"


@pytest.mark.parametrize("name", ["my-01.azurewebsites.net", "z0.azurefd.net"])
def test_a_name_that_merely_fits_a_pattern_is_still_a_tenant_of_the_shorter_suffix(name: str) -> None:
    assert shipped.lookup(name).resource == name


def test_a_bucket_named_like_a_service_stays_a_bucket() -> None:
    assert shipped.lookup("x.execute-api.s3.amazonaws.com").resource_service == "s3"


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)


def filled(pattern: str, labels: list[str]) -> str:
    """A suffix with each `*` replaced by a label."""
    return re.sub(r"\*", lambda _match: labels.pop(), pattern)


NAMES = st.builds(
    lambda row, below, inside, ending: ".".join([*(below if row.path is None else ()), filled(row.host, list(inside))])
    + ending,
    st.sampled_from(ROWS),
    st.lists(LABEL, max_size=3),
    st.lists(LABEL, min_size=3, max_size=3),
    st.sampled_from(["", ".", ":443", "/", "/a/b/c", "/macros/s/x/y"]),
)


def in_suffix(found: CloudResource) -> bool:
    """Whether the resource stands below its suffix (each `*` for some text), with something before it."""
    host, slash, path = found.resource_suffix.partition("/")
    body = re.escape(host).replace(r"\*", "[^./]*")
    if slash:
        return re.match(body + "/" + re.escape(path[:-1]), found.resource) is not None
    return re.search(r"[^.]\." + body + "$", found.resource) is not None


def check(text: str) -> None:
    found = shipped.lookup(text)
    assert found.resource_scope in ("tenant", "shared", "none")
    assert (found.resource != "") == (found.resource_scope == "tenant")
    assert (found.resource_suffix != "") == (found.resource_scope != "none")
    if found.resource:
        assert in_suffix(found), found
        assert shipped.lookup(found.resource) == found, "the resource of a resource is itself"


@settings(deadline=None)
@given(st.text())
@example("s3.amazonaws.com/..")
@example("://")
def test_any_text_gets_an_answer(text: str) -> None:
    check(text)
    check(text + ".s3.amazonaws.com")
    check("https://s3.amazonaws.com/" + text)


@settings(deadline=None, max_examples=400)
@given(NAMES)
def test_names_built_from_the_rows(name: str) -> None:
    check(name)
    assert shipped.lookup(name).resource_scope != "none"


@given(NAMES, st.integers(0, 2**40))
def test_case_does_not_matter_in_names(name: str, mask: int) -> None:
    host, slash, path = name.partition("/")
    mixed = "".join(c.upper() if mask >> (i % 40) & 1 else c for i, c in enumerate(host))
    assert shipped.lookup(mixed + slash + path) == shipped.lookup(name)


def test_every_tenant_row_can_be_reached() -> None:
    """No row is hidden behind another one."""
    hidden = []
    for row in ROWS:
        host = filled(row.host, ["q8", "q7", "q6"])
        path = (
            "/" + "/".join([*(row.path or ()), *(f"seg{n}" for n in range(row.labels))]) if row.path is not None else ""
        )
        below = "" if row.path is not None or row.kind != TENANT else "t1." * max(row.labels, 1)
        found = shipped.lookup(below + host + path)
        if (found.resource_suffix, found.resource_service) != (row.canonical, row.service):
            hidden.append((row.text, found))
    assert hidden == []


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource_module, "MEMO_ENTRIES", 3)
    reader = ResourceReader(ROWS)
    for number in range(10):
        assert reader.lookup(f"b{number}.s3.amazonaws.com").resource == f"b{number}.s3.amazonaws.com"
        assert len(reader._memo) <= 3
    reader = ResourceReader(ROWS)
    reader.lookup("https://b1.s3.amazonaws.com/" + "k" * 5000)
    assert reader._memo == {}, "long texts are not kept"


@pytest.mark.parametrize(
    ("text", "name", "segments"),
    [
        ("https://A.example.com:8/x/Y?z#q", "a.example.com", ["x", "Y"]),
        ("a.example.com", "a.example.com", []),
        ("a.example.com?x=/y", "a.example.com", []),
        ("mailto:a@example.com", "example.com", []),
    ],
)
def test_names_and_paths(text: str, name: str, segments: list[str]) -> None:
    assert read_name(text) == (name, segments)
