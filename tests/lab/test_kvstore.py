"""The KV store itself: queries, limits, types, crash safety. Over REST it is tested in test_splunkd.py.

Oracle: https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTkvstore (operators, fields, sort),
…/Admin/Limitsconf (limits and their messages), …/Admin/Collectionsconf (types, enforceTypes).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.conf import load_app
from lab.errors import LabError
from lab.kvquery import compile_query
from lab.kvstore import KVStore, KVStoreError, Limits

COLLECTIONS = """
[plain]
[history]
field.scope = string
field.days = number
field.open = bool
field.seen = time
accelerated_fields.by_scope = {"scope": 1, "days": -1}
[strict]
enforceTypes = true
field.days = number
field.tags = array
"""


OPENED: list[KVStore] = []


@pytest.fixture(autouse=True)
def _closing() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


def make(folder: Path, limits: Limits | None = None, path: str = ":memory:", conf: str = COLLECTIONS) -> KVStore:
    (folder / "default").mkdir(exist_ok=True)
    (folder / "default" / "collections.conf").write_text(conf)
    OPENED.append(KVStore(load_app(folder), path, limits))
    return OPENED[-1]


@pytest.fixture
def store(tmp_path: Path) -> KVStore:
    return make(tmp_path)


PEOPLE = [
    {"_key": "a", "name": "Ann", "age": 41, "home": {"city": "Oslo"}, "tags": ["x", "y"]},
    {"_key": "b", "name": "Bob", "age": 9, "home": {"city": "Rome"}},
    {"_key": "c", "name": "Cy", "age": "9", "note": None},
    {"_key": "d", "name": "Di", "age": 9.5, "open": True},
]

QUERIES = [
    ({}, "abcd"),
    ({"name": "Ann"}, "a"),
    ({"age": 9}, "b"),
    ({"age": "9"}, "c"),
    ({"age": {"$gt": 9}}, "ad"),
    ({"age": {"$gte": 9, "$lt": 41}}, "bd"),
    ({"age": {"$lte": "9"}}, "c"),
    ({"age": {"$ne": 9}}, "acd"),
    ({"open": True}, "d"),
    ({"open": 1}, ""),
    ({"note": None}, "abcd"),
    ({"open": {"$ne": None}}, "d"),
    ({"home.city": "Oslo"}, "a"),
    ({"home": {"city": "Rome"}}, "b"),
    ({"tags": "y"}, "a"),
    ({"tags": {"$gt": "x"}}, "a"),
    ({"tags": ["x", "y"]}, "a"),
    ({"$or": [{"name": "Bob"}, {"age": 9.5}]}, "bd"),
    ({"$or": [{"name": "Bob"}, {"name": "Di"}, {"name": "Eve"}]}, "bd"),
    ({"$or": [{"age": "9"}, {"age": "41"}]}, "c"),
    ({"$or": [{"tags": "y"}, {"tags": "z"}]}, "a"),
    ({"$and": [{"age": {"$gt": 9}}, {"name": {"$ne": "Ann"}}]}, "d"),
    ({"$not": {"name": "Ann"}}, "bcd"),
    ({"age": {"$not": {"$gt": 9}}}, "bc"),
    ({"_key": "c"}, "c"),
    ({"_key": {"$gte": "c"}}, "cd"),
    ({"$or": [{"_key": "d"}, {"_key": "a"}, {"_key": "zzz"}]}, "ad"),
]


@pytest.mark.parametrize(("query", "keys"), QUERIES)
@pytest.mark.parametrize("collection", ["plain", "history"])
def test_query(store: KVStore, collection: str, query: dict, keys: str) -> None:
    people = store.collection(collection)
    people.batch_save(PEOPLE)
    assert "".join(d["_key"] for d in people.find(query)) == keys


@pytest.mark.parametrize("operator", ["$in", "$regex", "$exists", "$nor", "$inc", "$nin"])
def test_other_operators_are_refused_with_400(store: KVStore, operator: str) -> None:
    for query in ({"age": {operator: [1]}}, {operator: [{"age": 1}]}):
        with pytest.raises(KVStoreError, match=rf"operator '\{operator}' is not supported") as caught:
            store.collection("plain").find(query)
        assert caught.value.status == 400


VALUES = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "a", "b", "2"]), st.floats(-2, 2))
FIELDS = st.sampled_from(["scope", "days", "other"])
CONDITIONS = st.one_of(
    VALUES, st.dictionaries(st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), st.sampled_from([1, 2, "a"]), min_size=1)
)
DOCUMENTS = st.lists(st.dictionaries(FIELDS, st.one_of(VALUES, st.lists(VALUES, max_size=2)), max_size=3), max_size=6)


@settings(max_examples=60, deadline=None)
@given(documents=DOCUMENTS, field=FIELDS, condition=CONDITIONS)
def test_the_index_never_loses_a_match(
    tmp_path_factory: pytest.TempPathFactory, documents: list[dict], field: str, condition: object
) -> None:
    """The SQL narrowing keeps every document the matcher accepts."""
    conf = '[history]\naccelerated_fields.a = {"scope": 1}\naccelerated_fields.b = {"days": 1}\n'
    history = make(tmp_path_factory.mktemp("kv"), conf=conf).collection("history")
    history.batch_save(documents)
    query = {field: condition}
    matches = compile_query(query).matches
    assert history.find(query) == [d for d in history.find() if matches(d)]


def test_accelerated_and_key_queries_use_an_index(store: KVStore) -> None:
    for query in ({"scope": "x"}, {"scope": "x", "days": {"$gt": 3}}, {"$or": [{"_key": "a"}, {"_key": "b"}]}):
        compiled = compile_query(query)
        sql = f"EXPLAIN QUERY PLAN SELECT doc FROM kv_history WHERE _user = ? AND {compiled.sql}"
        plan = " ".join(row[3] for row in store.connection.execute(sql, ["nobody", *compiled.params]))
        assert "SEARCH kv_history" in plan
        assert "SCAN kv_history" not in plan


def test_insert_conflict_replace_and_missing(store: KVStore) -> None:
    plain = store.collection("plain")
    key = plain.insert({"a": 1})
    assert plain.get(key) == {"_key": key, "_user": "nobody", "a": 1}
    with pytest.raises(KVStoreError, match=r"same key and user already exists") as conflict:
        plain.insert({"_key": key, "b": 2})
    assert conflict.value.status == 409
    plain.replace(key, {"b": 2})
    assert plain.get(key) == {"_key": key, "_user": "nobody", "b": 2}, "nothing is merged"
    for missing in (lambda: plain.get("none"), lambda: plain.replace("none", {})):
        with pytest.raises(KVStoreError) as absent:
            missing()
        assert absent.value.status == 404
    assert plain.delete({"b": 2}) == 1
    assert plain.find() == []


def test_documents_belong_to_users(store: KVStore) -> None:
    plain = store.collection("plain")
    plain.insert({"_key": "k", "a": 1})
    plain.insert({"_key": "k", "a": 2}, user="eve")
    assert [d["a"] for d in plain.find()] == [1]
    assert [d["a"] for d in plain.find(user="eve")] == [2]
    plain.delete(user="eve")
    assert plain.count() == 1
    assert plain.count("eve") == 0


def test_limits_of_a_save(tmp_path: Path) -> None:
    plain = make(tmp_path).collection("plain")
    with pytest.raises(KVStoreError) as many:
        plain.batch_save([{"n": n} for n in range(1001)])
    assert many.value.status == 400
    assert many.value.message == (
        "Request exceeds API limits - see limits.conf for details. (Too many documents for a single batch save, "
        "max_documents_per_batch_save=1000)"
    )
    assert plain.count() == 0
    assert len(plain.save_all({"n": n} for n in range(2500))) == 2500, "outputlookup saves in batches"
    small = make(tmp_path, Limits(max_size_per_batch_save_mb=0.001)).collection("plain")
    with pytest.raises(KVStoreError, match=r"max_size_per_batch_save_mb=0.001"):
        small.batch_save([{"text": "x" * 2000}])
    assert small.count() == 0


def test_limits_of_a_query(tmp_path: Path) -> None:
    plain = make(tmp_path, Limits(max_rows_per_query=10, max_queries_per_batch=2)).collection("plain")
    plain.batch_save([{"_key": f"{n:02}", "n": n} for n in range(25)])
    assert len(plain.find()) == len(plain.find(limit=20)) == 10, "silently truncated"
    assert [d["n"] for d in plain.find(sort="n:-1", limit=2, skip=3)] == [21, 20]
    pages = [plain.find(skip=skip) for skip in (0, 10, 20, 25)]
    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert sum(1 for _ in plain.scan()) == 25
    assert [len(a) for a in plain.batch_find([{"query": {"n": {"$lt": 3}}}, {"query": {"_key": "07"}}])] == [3, 1]
    with pytest.raises(KVStoreError, match=r"max_queries_per_batch=2"):
        plain.batch_find([{}, {}, {}])
    tight = make(tmp_path, Limits(max_size_per_result_mb=0, max_size_per_batch_result_mb=0)).collection("plain")
    tight.insert({"a": 1})
    with pytest.raises(KVStoreError, match=r"max_size_per_result_mb"):
        tight.find()


def test_fields_and_sort(store: KVStore) -> None:
    people = store.collection("plain")
    people.batch_save(PEOPLE)
    assert people.find({"_key": "a"}, fields="name,home.city") == [
        {"name": "Ann", "home": {"city": "Oslo"}, "_key": "a"}
    ]
    assert people.find({"_key": "a"}, fields="name,_key:0") == [{"name": "Ann"}]
    assert set(people.find({"_key": "b"}, fields="name:0,home:0")[0]) == {"_key", "_user", "age"}
    with pytest.raises(KVStoreError, match=r"cannot be mixed"):
        people.find(fields="name,age:0")
    assert "".join(d["_key"] for d in people.find(sort="_key:-1", limit=2, skip=1)) == "cb"
    assert "".join(d["_key"] for d in people.find({"age": {"$gt": 9}}, sort="_key", skip=1)) == "d"
    assert [d["name"] for d in people.find(sort="age,name:-1")] == ["Bob", "Di", "Ann", "Cy"], "numbers before text"


def test_numbers_are_doubles(store: KVStore) -> None:
    plain = store.collection("plain")
    plain.insert({"_key": "k", "big": 2**53 + 1, "whole": 5.0, "mask": 2**90 - 1, "text": str(2**90 - 1)})
    kept = plain.get("k")
    assert kept["big"] == 2**53
    assert kept["whole"] == 5
    assert isinstance(kept["whole"], int)
    assert kept["mask"] != 2**90 - 1
    assert kept["text"] == str(2**90 - 1)
    with pytest.raises(KVStoreError, match=r"not JSON"):
        plain.insert({"n": float("nan")})


def test_declared_types(store: KVStore) -> None:
    history, strict = store.collection("history"), store.collection("strict")
    history.insert({"_key": "k", "scope": 7, "days": "3", "open": "true", "seen": "soon", "other": [1]})
    kept = history.get("k")
    assert kept == {"_key": "k", "_user": "nobody", "scope": "7", "days": 3, "open": True, "other": [1]}
    with pytest.raises(KVStoreError, match=r"'days' is not of type 'number'"):
        strict.insert({"days": "many"})
    with pytest.raises(KVStoreError, match=r"'tags' is not of type 'array'"):
        strict.batch_save([{"days": 1}, {"tags": "x"}])
    assert strict.count() == 0, "a batch is all or nothing"


@pytest.mark.parametrize("document", [[], "text", {"$set": {"a": 1}}, {"a.b": 1}, {"_key": 5}, {"a": {1, 2}}], ids=repr)
def test_bad_documents(store: KVStore, document: object) -> None:
    with pytest.raises(KVStoreError) as caught:
        store.collection("plain").insert(document)  # type: ignore[arg-type]
    assert caught.value.status == 400


def test_conf_errors_name_their_place(tmp_path: Path) -> None:
    for line in ("field.a = text", "accelerated_fields.a = scope", "enforceTypes = maybe", "replicat = true"):
        with pytest.raises(LabError, match=r"default/collections.conf \[c\] at line 2"):
            make(tmp_path, conf=f"[c]\n{line}\n")
    with pytest.raises(LabError, match=r"no collection 'none'. Known: history, plain, strict"):
        make(tmp_path).collection("none")


BEYOND = [2**53 + 1, 2**63, 12345678901234567890, -(2**70), 10**300, 1e300, 1.7e308]


@pytest.mark.parametrize("number", BEYOND)
def test_numbers_beyond_64_bits_are_doubles(store: KVStore, number: float) -> None:
    """As they are kept so they are asked for, also where an index answers."""
    for collection, field in ((store.collection("plain"), "n"), (store.collection("history"), "days")):
        collection.insert({"_key": "a", "scope": "s", field: number})
        (found,) = collection.find({"scope": "s", field: number})
        assert found[field] == float(number)
        assert collection.find({field: {"$gte": number}}) == collection.find({field: {"$lte": number}}) == [found]
        assert collection.find({field: {"$gt": number}}) == collection.find({field: {"$ne": number}}) == []
        assert collection.find(sort=field) == [found]


@pytest.mark.parametrize("number", [10**400, -(10**400), 1e400, -1e400])
def test_numbers_beyond_all_doubles_are_refused_and_found_nowhere(store: KVStore, number: float) -> None:
    plain = store.collection("plain")
    for document in ({"n": number}, {"n": [{"deep": number}]}):
        with pytest.raises(KVStoreError, match="JSON in the request is invalid") as caught:
            plain.insert(document)
        assert caught.value.status == 400
    plain.insert({"n": 1.5})
    assert plain.find({"n": number}) == []
    assert len(plain.find({"n": {"$lt": number}})) == (number > 0)


@pytest.mark.parametrize("text", ["1e400", "-1e400", "9" * 400, "nan"])
def test_texts_that_no_double_holds_are_no_numbers(store: KVStore, text: str) -> None:
    store.collection("history").insert({"_key": "a", "days": text})
    assert store.collection("history").get("a") == {"_key": "a", "_user": "nobody"}
    with pytest.raises(KVStoreError, match="not of type 'number'"):
        store.collection("strict").insert({"days": text})


ANY_TEXT = st.text(st.characters(exclude_categories=[]), min_size=1, max_size=12) | st.from_regex(
    r"-?[0-9]{1,40}(\.[0-9]+)?(e[0-9]{1,4})?", fullmatch=True
)


@settings(max_examples=200, deadline=None)
@given(st.lists(ANY_TEXT, min_size=1, max_size=5, unique=True), ANY_TEXT)
def test_any_text_is_a_key_and_a_value(texts: list[str], other: str) -> None:
    """Only half a surrogate pair, which is no UTF-8, is no key."""
    with tempfile.TemporaryDirectory() as folder:
        history = make(Path(folder)).collection("history")
        for text in texts:
            history.insert({"_key": f"of {text.encode('utf-8', 'surrogatepass').hex()}", "scope": text, "seen": 1})
            assert [d["scope"] for d in history.find({"scope": text})] == [text]
            if any("\ud800" <= character <= "\udfff" for character in text):
                with pytest.raises(KVStoreError, match="no UTF-8"):
                    history.insert({"_key": text})
                assert history.find({"_key": text}) == []
            else:
                history.insert({"_key": text})
                assert history.get(text)["_key"] == text
                assert history.delete({"_key": text}) == 1
        assert history.delete({"$or": [{"_key": other}, {"scope": other}]}) == (other in texts)
        OPENED.pop().close()


def test_a_killed_process_leaves_whole_batches(tmp_path: Path) -> None:
    """A process is killed in the middle of saving: what is there afterwards are whole requests."""
    make(tmp_path)
    code = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
from pathlib import Path
from lab.conf import load_app
from lab.kvstore import KVStore
plain = KVStore(load_app(Path({str(tmp_path)!r})), {str(tmp_path / "kv.sqlite")!r}).collection("plain")
for batch in range(100):
    if batch == 7:
        def dying(documents):
            for n, document in enumerate(documents):
                if n == 30:
                    os._exit(9)
                yield document
        prepare = plain._prepare
        plain._db.execute("BEGIN IMMEDIATE")
        plain._db.executemany(
            "INSERT INTO kv_plain (_user, _key, doc) VALUES (?, ?, ?)",
            (prepare(d, "nobody") for d in dying([{{"batch": batch, "n": n}} for n in range(50)])),
        )
    plain.batch_save([{{"batch": batch, "n": n}} for n in range(50)])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 9, done.stderr
    reopened = make(tmp_path, path=str(tmp_path / "kv.sqlite")).collection("plain")
    assert reopened.count() == 7 * 50
