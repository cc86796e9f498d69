"""The list of cloud names as shipped, row by row, and the forms that the providers document for one and the same tenant."""

from __future__ import annotations

import csv
import re
from typing import Optional

import pytest

from cba.enrich.resource import open_reader
from cba.enrich.suffixes import LEFT_OUT, SHARED, SHIPPED_SUFFIXES, TENANT, Suffix, read_suffixes

READER = open_reader()
ROWS = read_suffixes(SHIPPED_SUFFIXES)
TENANTS = [row for row in ROWS if row.kind == TENANT]


def host_of(row: Suffix) -> str:
    """The suffix with a text for each of its `*`."""
    texts = iter(("q7", "q8", "q9"))
    return re.sub(r"\*", lambda _star: next(texts), row.host)


def path_of(row: Suffix) -> str:
    return "/".join(("", *(row.path or ()), *(f"Seg{number}" for number in range(row.labels))))


def url_of(row: Suffix, tenant: str = "t1", label: Optional[str] = None) -> str:
    """A name or URL of a tenant of the row; `label` stands between tenant and suffix."""
    if row.path is not None:
        return host_of(row) + path_of(row)
    below = [tenant] * max(row.labels, 1) + ([label] if label else [])
    return ".".join((*below, host_of(row)))


def scope_and_resource(text: str) -> tuple[str, str]:
    found = READER.lookup(text)
    return found.resource_scope, found.resource


# --- Every row --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", TENANTS, ids=lambda row: row.text)
def test_a_name_below_a_suffix_is_a_tenant_however_it_is_written(row: Suffix) -> None:
    name = url_of(row)
    found = READER.lookup(name)
    assert (found.resource_scope, found.resource_suffix) == ("tenant", row.canonical)
    assert (found.resource_service, found.resource_provider) == (row.service, row.provider)
    if row.path is None:
        assert found.resource.startswith("t1.")
    host, slash, path = name.partition("/")
    spellings = [
        host.upper() + slash + path,
        f"{host}.{slash}{path}",
        f"{host}:8443{slash}{path}",
        f"https://{host}:443{slash}{path}?q=1#x",
        f"HTTPS://user:secret@{host.upper()}.{slash}{path}",
    ]
    assert [spelling for spelling in spellings if READER.lookup(spelling) != found] == []
    assert READER.lookup(found.resource) == found, "the resource of a resource is itself"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.text)
def test_the_suffix_alone_is_nobodys(row: Suffix) -> None:
    """Unless it only fits a `*` and is the name of a tenant of a shorter suffix, too: my-01.azurewebsites.net."""
    found = READER.lookup(host_of(row))
    if found.resource_scope == "tenant":
        assert "*" in row.host.partition(".")[0]
        assert (found.resource, found.resource_suffix) == (host_of(row), host_of(row).partition(".")[2])
    else:
        assert (found.resource_scope, found.resource) == ("shared", "")


@pytest.mark.parametrize("row", [row for row in ROWS if row.kind == SHARED], ids=lambda row: row.text)
def test_a_name_below_a_shared_suffix_is_nobodys(row: Suffix) -> None:
    assert scope_and_resource(f"q9.{host_of(row)}") == ("shared", "")


def test_every_row_says_where_it_comes_from() -> None:
    with SHIPPED_SUFFIXES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["suffix"] for row in rows if not re.fullmatch(r"https://[a-z0-9.-]+/\S*", row["source"])] == []


def test_no_tenant_is_reported_below_a_name_that_leaves_its_provider() -> None:
    rows = {row.text: row for row in ROWS}
    assert [
        row.text
        for row in TENANTS
        if row.same_as and (row.provider, row.service) != (rows[row.same_as].provider, rows[row.same_as].service)
    ] == []


# --- S3: every documented form is the same bucket ---------------------------------------------------------------------

PARTITIONS = [
    ("eu-west-1", "amazonaws.com"),
    ("us-gov-west-1", "amazonaws.com"),
    ("cn-north-1", "amazonaws.com.cn"),
    ("eusc-de-east-1", "amazonaws.eu"),
]
BUCKET_HOSTS = [
    "s3.{r}.{d}",
    "s3.dualstack.{r}.{d}",
    "bucket.vpce-1a2b3c4d-5e6f.s3.{r}.vpce.{d}",
    "bucket.vpce-1a2b3c4d-5e6f-{r}a.s3.{r}.vpce.{d}",
]
FIPS_HOSTS = ["s3-fips.{r}.{d}", "s3-fips.dualstack.{r}.{d}"]
MAIN_HOSTS = ["s3.{d}", "s3-{r}.{d}", "s3-fips-{r}.{d}", "s3-external-1.{d}", "s3-deprecated.{r}.{d}"]
NAME_HOSTS = ["s3-website.{r}.{d}"]
MAIN_NAME_HOSTS = ["s3-website-{r}.{d}", "s3-website.dualstack.{r}.{d}", "s3-accelerate.{d}", "s3-accelerate.dualstack.{d}"]  # fmt: skip


def bucket_forms() -> list[tuple[str, str]]:
    forms = []
    for region, domain in PARTITIONS:
        main = domain == "amazonaws.com"
        both = [*BUCKET_HOSTS, *(FIPS_HOSTS if domain != "amazonaws.com.cn" else ()), *(MAIN_HOSTS if main else ())]
        named = [*NAME_HOSTS, *(MAIN_NAME_HOSTS if main else ())]
        for bucket in ("b-1", "my.bucket.with.dots", "privatelink", "dualstack", "bucket"):
            home = f"{bucket}.s3.{domain}"
            for host in (text.format(r=region, d=domain) for text in both):
                forms += [(f"{bucket}.{host}", home), (f"https://{host}/{bucket}/key", home)]
            forms += [(f"{bucket}.{text.format(r=region, d=domain)}", home) for text in named]
    express = "b-1--use1-az4--x-s3"
    for zone in ("s3express-use1-az4", "s3express-fips-use1-az4"):
        for kind in ("", ".dualstack"):
            forms.append((f"{express}.{zone}{kind}.us-east-1.amazonaws.com", f"{express}.s3.amazonaws.com"))
    for way in ("", "-dualstack", "-fips"):
        control = f"s3express-control{way}.us-east-1.amazonaws.com"
        forms.append((f"https://{control}/{express}?policy", f"{express}.s3.amazonaws.com"))
    return forms


@pytest.mark.parametrize(("form", "bucket"), bucket_forms())
def test_every_documented_form_of_a_bucket_is_that_bucket(form: str, bucket: str) -> None:
    assert scope_and_resource(form) == ("tenant", bucket)


@pytest.mark.parametrize("region", ["us-west-2", "us-gov-east-1"])
@pytest.mark.parametrize(
    ("form", "resource"),
    [
        ("ap-123456789012.s3-accesspoint.dualstack.{r}.amazonaws.com", "ap-123456789012.s3-accesspoint.{r}.amazonaws.com"),
        ("ap-123456789012.s3-accesspoint-fips.{r}.amazonaws.com", "ap-123456789012.s3-accesspoint.{r}.amazonaws.com"),
        ("ap-123456789012.s3-accesspoint-fips.dualstack.{r}.amazonaws.com", "ap-123456789012.s3-accesspoint.{r}.amazonaws.com"),
        ("ap-123456789012.accesspoint.vpce-1a2b-3c.s3.{r}.vpce.amazonaws.com", "ap-123456789012.s3-accesspoint.{r}.amazonaws.com"),
        ("ap-hash-s3alias.s3.{r}.amazonaws.com", "ap-hash-s3alias.s3.amazonaws.com"),
        ("ol-123456789012.s3-object-lambda-fips.{r}.amazonaws.com", "ol-123456789012.s3-object-lambda.{r}.amazonaws.com"),
        ("ap-123456789012.op-01.s3-outposts-fips.{r}.amazonaws.com", "ap-123456789012.op-01.s3-outposts.{r}.amazonaws.com"),
        ("mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com", "mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com"),
    ],
)  # fmt: skip
def test_an_access_point_is_one_resource_by_whatever_way(form: str, resource: str, region: str) -> None:
    assert scope_and_resource(form.format(r=region)) == ("tenant", resource.format(r=region))


@pytest.mark.parametrize(
    "name",
    [
        "123456789012.s3-control.eu-west-1.amazonaws.com",
        "123456789012.s3-control-fips.dualstack.us-east-1.amazonaws.com",
        "s3express-control.us-east-1.amazonaws.com",
        "s3express-use1-az4.us-east-1.amazonaws.com",
        "accesspoint.s3-global.amazonaws.com",
        "s3-accesspoint.eu-west-1.amazonaws.com",
        "bucket.vpce-1a2b-3c.s3.eu-west-1.vpce.amazonaws.com",
        "vpce-1a2b-3c.sts.eu-west-1.vpce.amazonaws.com",
        "s3-r-w.eu-west-1.amazonaws.com",
    ],
)
def test_endpoints_of_s3_that_name_no_bucket(name: str) -> None:
    assert scope_and_resource(name) == ("shared", "")


# --- What only says the way to a tenant -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row", [row for row in TENANTS if row.provider in LEFT_OUT and row.path is None], ids=lambda row: row.text
)
def test_the_way_to_a_tenant_is_not_part_of_its_name(row: Suffix) -> None:
    way = LEFT_OUT[row.provider]
    plain = READER.lookup(url_of(row))
    assert READER.lookup(url_of(row, label=way)) == plain
    assert READER.lookup(f"{way}.{url_of(row)}").resource_scope == "tenant"
    assert READER.lookup(f"{way}.{host_of(row)}") == READER.lookup(host_of(row)), "the zone itself is nobody's"


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("x.privatelink.blob.core.windows.net", "x.blob.core.windows.net"),
        ("x.privatelink.blob.core.usgovcloudapi.net", "x.blob.core.usgovcloudapi.net"),
        ("x.privatelink.blob.core.chinacloudapi.cn", "x.blob.core.chinacloudapi.cn"),
        ("v.privatelink.vaultcore.azure.net", "v.vault.azure.net"),
        ("v.privatelink.vaultcore.usgovcloudapi.net", "v.vault.usgovcloudapi.net"),
        ("a.scm.privatelink.azurewebsites.net", "a.scm.azurewebsites.net"),
        ("s.privatelink.database.windows.net", "s.database.windows.net"),
        ("r.westeurope.data.privatelink.azurecr.io", "r.azurecr.io"),
        ("b.westeurope.privatelink.batch.azure.com", "b.westeurope.batch.azure.com"),
        ("k-1a.8f.privatelink.westeurope.azmk8s.io", "k-1a.8f.westeurope.azmk8s.io"),
        ("s.privatelink.web.core.windows.net", "s.web.core.windows.net"),
        ("s.z6.web.core.windows.net", "s.web.core.windows.net"),
        ("f.privatelink.services.ai.azure.com", "f.services.ai.azure.com"),
        ("ab12.west-europe.privatelink.snowflakecomputing.com", "ab12.west-europe.snowflakecomputing.com"),
        ("dualstack.shop.map.fastly.net", "shop.map.fastly.net"),
        ("privatelink.github.io", "privatelink.github.io"),
        ("privatelink.web.app", "privatelink.web.app"),
    ],
)
def test_a_private_endpoint_is_the_tenant_it_leads_to(name: str, resource: str) -> None:
    assert scope_and_resource(name) == ("tenant", resource)


# --- Hosts of the provider's own making -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "md-07xgq5px1vx0.z7.blob.storage.azure.net",
        "md-hdd-07xgq5px1vx0.z23.blob.storage.azure.net",
        "md-impexp-07xgq5px1vx0.blob.core.windows.net",
        "md-07xgq5px1vx0.blob.core.usgovcloudapi.net",
        "md-07xgq5px1vx0.privatelink.blob.core.windows.net",
        "waws-prod-am2-001.cloudapp.net",
        "waws-prod-am2-8d1b.westeurope.cloudapp.azure.com",
        "waws-prod-am2-001.sip.azurewebsites.windows.net",
        "waws-prod-bn1-001.usgovcloudapp.net",
        "pages-wildcard.weebly.com",
        "shops.myshopify.com",
        "lb.wordpress.com",
        "wp.wpenginepowered.com",
        "c.storage.googleapis.com",
        "star-azurefd-prod.trafficmanager.net",
        "cr1.westeurope1-a.control.database.windows.net",
        "blob.ams20prdstr02a.store.core.windows.net",
        "global.azure-devices-provisioning.net",
        "server-13-32-1-2.fra2.r.cloudfront.net",
        "a23-1-2-3.deploy.static.akamaitechnologies.com",
        "whoami.akamai.net",
        "cache-fra19120.hosts.secretcdn.net",
        "dualstack.j.sni.global.fastly.net",
        "fra16s52-in-f10.1e100.net",
        "ssl.cf1.rackcdn.com",
        "x.incapdns.net",
    ],
)
def test_hosts_of_a_providers_own_making_are_shared(name: str) -> None:
    assert scope_and_resource(name) == ("shared", "")


# --- Families that were missing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("c1810.r10.cf1.rackcdn.com", "c1810.r10.cf1.rackcdn.com"),
        ("8f2c-1b9d.ssl.cf2.rackcdn.com", "8f2c-1b9d.ssl.cf2.rackcdn.com"),
        ("shop.wpengine.com", "shop.wpenginepowered.com"),
        ("shop.wpenginepowered.com", "shop.wpenginepowered.com"),
        ("prod.shop.map.fastlylb.net", "prod.shop.map.fastlylb.net"),
        ("abc12.x.incapdns.net", "abc12.x.incapdns.net"),
        ("shop.pcdn.co", "shop.pcdn.co"),
        ("shop.bubbleapps.io", "shop.bubbleapps.io"),
        ("ann.codeberg.page", "ann.codeberg.page"),
        ("spark.azurehdinsight.net", "spark.azurehdinsight.net"),
        ("spark.azurehdinsight.us", "spark.azurehdinsight.us"),
        ("e1234.dscb.akamaiedge.net", "e1234.dscb.akamaiedge.net"),
        ("a1234.dscb.akamai.net", "a1234.dscb.akamai.net"),
        ("www.shop.example.edgekey-staging.net", "www.shop.example.edgekey.net"),
        ("www.shop.example.edgesuite-staging.net", "www.shop.example.edgesuite.net"),
        ("shop.akamaized-staging.net", "shop.akamaized.net"),
        ("kv.vault.azure.cn", "kv.vault.azure.cn"),
        ("db.documents.azure.us", "db.documents.azure.us"),
        ("app.azurewebsites.us", "app.azurewebsites.us"),
        ("adb-12.4.azuredatabricks.net", "adb-12.4.azuredatabricks.net"),
        ("apim.portal.azure-api.net", "apim.azure-api.net"),
        ("org.api.crm4.dynamics.com", "org.crm4.dynamics.com"),
        ("corp.mail.onmicrosoft.com", "corp.onmicrosoft.com"),
        ("app-12.aws.databricksapps.com", "app-12.aws.databricksapps.com"),
        ("a1.dualstack.awsglobalaccelerator.com", "a1.awsglobalaccelerator.com"),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", "123456789012.dkr.ecr.eu-west-1.amazonaws.com"),
        ("search-x-1.aos.eu-west-1.on.aws", "search-x-1.eu-west-1.es.amazonaws.com"),
        ("x.notebook-fips.us-east-1.sagemaker.aws", "x.notebook.us-east-1.sagemaker.aws"),
        ("pool.auth-fips.us-east-1.amazoncognito.com", "pool.auth.us-east-1.amazoncognito.com"),
        ("https://storage.europe-west3.rep.googleapis.com/bkt/a", "bkt.storage.googleapis.com"),
        ("https://www.googleapis.com/download/storage/v1/b/bkt/o/a", "bkt.storage.googleapis.com"),
        ("https://eu.gcr.io/proj/image", "eu.gcr.io/proj"),
        ("https://eu.gcr.io/v2/proj/image/manifests/1", "eu.gcr.io/v2/proj"),
        ("gw-1a.ew.gateway.dev", "gw-1a.ew.gateway.dev"),
        ("acct.eu.r2.cloudflarestorage.com", "acct.r2.cloudflarestorage.com"),
        ("team.cloudflareaccess.com", "team.cloudflareaccess.com"),
    ],
)  # fmt: skip
def test_tenants_under_their_providers_names(name: str, resource: str) -> None:
    assert scope_and_resource(name) == ("tenant", resource)
