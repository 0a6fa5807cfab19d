"""turbopuffer-local against turbopuffer's own Python client, unmodified: only its base URL is another."""
import asyncio
import datetime
import time

import pytest
import turbopuffer
from turbopuffer import AsyncTurbopuffer, Turbopuffer

from harness.local import API_KEY

VERSIONS = {"__source_lsn": "uint", "__source_seq": "uint"}
NEWER = ("Or", [
    ("__source_lsn", "Lt", {"$ref_new": "__source_lsn"}),
    ("And", [("__source_lsn", "Eq", {"$ref_new": "__source_lsn"}),
             ("__source_seq", "Lt", {"$ref_new": "__source_seq"})]),
    ("__source_lsn", "Eq", None)])


@pytest.fixture
def client(local, monkeypatch):
    for name in ("TURBOPUFFER_REGION", "TURBOPUFFER_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with Turbopuffer(api_key=API_KEY, base_url=local.url) as client:
        yield client


@pytest.fixture
def ns(client):
    return client.namespace("things")


def rows_of(ns, **query):
    query = {"rank_by": ("id", "asc"), "include_attributes": True, "limit": 100, **query}
    return [row.model_dump(exclude_none=True) for row in ns.query(**query).rows or []]


def version(lsn, seq=1):
    return {"__source_lsn": lsn, "__source_seq": seq}


# ---- writing and reading ----

def test_every_type_comes_back(ns):
    row = {
        "id": 2**64 - 1, "text": "žluťoučký \"kůň\"\n", "small": -2**63, "large": 2**64 - 1, "real": 0.1,
        "whole": 3, "yes": True, "who": "0189F7E1-1F2E-7ABC-8DEF-0123456789AB", "when": "2024-03-02T10:11:12.1234567+02:00",
        "texts": ["a", ""], "numbers": [1, 2**63], "reals": [1.5], "flags": [False], "times": ["2024-03-02"],
    }
    answer = ns.write(upsert_rows=[row], schema={
        "id": "uint", "text": "string", "small": "int", "large": "uint", "real": "float", "whole": "float",
        "yes": "bool", "who": "uuid", "when": "datetime", "texts": "[]string", "numbers": "[]uint",
        "reals": "[]float", "flags": "[]bool", "times": "[]datetime"})
    assert (answer.status, answer.rows_affected, answer.rows_upserted) == ("OK", 1, 1)
    assert answer.billing.billable_logical_bytes_written > 0
    assert rows_of(ns) == [{
        **row, "whole": 3.0, "who": "0189f7e1-1f2e-7abc-8def-0123456789ab", "when": "2024-03-02T08:11:12.123000000Z",
        "times": ["2024-03-02T00:00:00.000000000Z"]}]


def test_python_datetimes_are_understood(ns):
    when = datetime.datetime(2024, 3, 2, 10, 11, 12, 123000, tzinfo=datetime.timezone.utc)
    ns.write(upsert_rows=[{"id": 1, "when": when}], schema={"when": "datetime"})
    assert rows_of(ns) == [{"id": 1, "when": "2024-03-02T10:11:12.123000000Z"}]


@pytest.mark.parametrize("ids", [[1, 2, 3], ["a", "b", "c"]])
def test_rows_columns_patches_and_deletes(ns, ids):
    first, second, third = ids
    ns.write(upsert_rows=[{"id": first, "a": 1, "b": "x"}, {"id": second, "a": 2}])
    ns.write(upsert_columns={"id": [second, third], "a": [20, None], "b": [None, "z"]})
    assert rows_of(ns) == [{"id": first, "a": 1, "b": "x"}, {"id": second, "a": 20}, {"id": third, "b": "z"}]
    patched = ns.write(patch_rows=[{"id": first, "b": None}, {"id": third, "a": 3}], return_affected_ids=True)
    assert (patched.rows_patched, patched.patched_ids) == (2, [first, third])
    ns.write(patch_columns={"id": [second], "b": ["y"]})
    assert rows_of(ns) == [{"id": first, "a": 1}, {"id": second, "a": 20, "b": "y"}, {"id": third, "a": 3, "b": "z"}]
    deleted = ns.write(deletes=[first], return_affected_ids=True)
    assert (deleted.rows_deleted, deleted.deleted_ids) == (1, [first])
    by_filter = ns.write(patch_by_filter={"filters": ("a", "Gt", 10), "patch": {"b": "big"}})
    assert by_filter.rows_patched == 1
    assert ns.write(delete_by_filter=("b", "Eq", "z")).rows_deleted == 1
    assert rows_of(ns) == [{"id": second, "a": 20, "b": "big"}]


def test_newer_wins(ns):
    """The canonical condition, in the order that a retry and a late duplicate bring."""
    def put(lsn, seq, text):
        return ns.write(upsert_rows=[{"id": 1, "text": text, **version(lsn, seq)}], schema=VERSIONS,
                        upsert_condition=NEWER).rows_upserted

    assert [put(5, 1, "5.1"), put(5, 1, "again"), put(4, 9, "4.9"), put(5, 2, "5.2"), put(6, 0, "6.0")] == [1, 0, 0, 1, 1]
    assert rows_of(ns) == [{"id": 1, "text": "6.0", **version(6, 0)}]
    older = ("Or", [("__source_lsn", "Lt", 6), ("__source_lsn", "Eq", None)])
    assert ns.write(deletes=[1], delete_condition=older).rows_deleted == 0
    newer = ("Or", [("__source_lsn", "Lt", 7), ("__source_lsn", "Eq", None)])
    assert ns.write(deletes=[1], delete_condition=newer).rows_deleted == 1
    assert put(1, 1, "absent: not asked") == 1


def test_vectors(ns):
    ns.write(upsert_rows=[{"id": 1, "vector": [1, 0]}, {"id": 2, "vector": [0, 1]}, {"id": 3, "vector": [1, 1]}],
             distance_metric="cosine_distance")
    rows = ns.query(rank_by=("vector", "ANN", [1, 0]), limit=2, include_attributes=["vector"]).rows
    assert [row.id for row in rows] == [1, 3] and rows[0].vector == [1, 0]
    assert rows[0]["$dist"] == pytest.approx(0) and rows[1]["$dist"] == pytest.approx(1 - 0.5**0.5)
    rows = ns.query(rank_by=("vector", "ANN", [1, 0]), limit=1, include_attributes=["vector"],
                    vector_encoding="base64").rows
    assert rows[0].vector is not None
    assert ns.recall(num=1, top_k=2).avg_recall == 1.0


def test_filters_and_order(ns):
    ns.write(upsert_rows=[{"id": i, "n": i % 3, "tags": [f"t{i % 2}"]} for i in range(1, 8)] + [{"id": 8}])

    def ids(filters, rank_by=("id", "asc")):
        return [row.id for row in ns.query(rank_by=rank_by, filters=filters, limit=100).rows]

    assert ids(("n", "Eq", 1)) == [1, 4, 7]
    assert ids(("n", "Lt", 1)) == [3, 6, 8]
    assert ids(("n", "NotIn", [0, 1])) == [2, 5, 8]
    assert ids(("Not", ("tags", "Contains", "t0"))) == [1, 3, 5, 7, 8]
    assert ids(("And", [("n", "Gte", 1), ("id", "Gt", 4)])) == [5, 7]
    assert ids(("id", "NotEq", None), [("n", "desc"), ("id", "desc")]) == [5, 2, 7, 4, 1, 6, 3, 8]


def test_paging_by_id_reads_everything_once(ns):
    ns.write(upsert_columns={"id": list(range(0, 2500)), "n": [1] * 2500})
    seen, last = [], None
    while True:
        page = ns.query(rank_by=("id", "asc"), limit=1000, filters=("id", "Gt", last) if last is not None else
                        ("id", "Gte", 0)).rows
        seen += [row.id for row in page]
        if len(page) < 1000:
            break
        last = seen[-1]
    assert seen == list(range(2500))


def test_aggregations_and_several_queries(ns):
    ns.write(upsert_rows=[{"id": i, "g": "ab"[i % 2], "n": i} for i in range(5)])
    assert ns.query(aggregate_by={"all": ("Count",), "sum": ("Sum", "n")}).aggregations == {"all": 5, "sum": 10}
    groups = ns.query(aggregate_by={"c": ("Count",)}, group_by=["g"]).aggregation_groups
    assert groups == [{"g": "a", "c": 3}, {"g": "b", "c": 2}]
    several = ns.multi_query(queries=[{"rank_by": ("id", "desc"), "limit": 1}, {"aggregate_by": {"c": ("Count",)}}])
    assert [row.id for row in several.results[0].rows] == [4] and several.results[1].aggregations == {"c": 5}


# ---- namespaces ----

def test_namespaces_are_listed_described_and_dropped(client, ns):
    assert not ns.exists()
    for i in range(5):
        client.namespace(f"page-{i}").write(upsert_rows=[{"id": 1}])
    ns.write(upsert_rows=[{"id": 1, "text": "abc"}], schema={"text": {"type": "string", "full_text_search": True}})
    assert [n.id for n in client.namespaces(prefix="page-", page_size=2)] == [f"page-{i}" for i in range(5)]
    assert ns.exists()
    schema = ns.schema()
    assert schema["id"].type == "uint" and schema["text"].filterable is False
    assert schema["text"].full_text_search.tokenizer == "word_v4"
    updated = ns.update_schema(schema={"text": {"type": "string", "filterable": True}})
    assert updated["text"].filterable is True and updated["text"].full_text_search.tokenizer == "word_v4"
    metadata = ns.metadata()
    assert (metadata.approx_row_count, metadata.index.status) == (1, "up-to-date")
    assert metadata.created_at <= metadata.updated_at
    assert ns.hint_cache_warm().status == "ACCEPTED"
    assert ns.explain_query(rank_by=("id", "asc")).plan_text
    assert ns.update_metadata(read_only=True).read_only is True
    with pytest.raises(turbopuffer.BadRequestError, match="read-only"):
        ns.write(deletes=[1])
    assert ns.delete_all().status == "OK"  # a read-only namespace too
    with pytest.raises(turbopuffer.NotFoundError):
        ns.query(rank_by=("id", "asc"))


def test_copies_and_branches(client, ns):
    ns.write(upsert_rows=[{"id": 1, "a": ["x"]}])
    copy, branch = client.namespace("copy"), client.namespace("branch")
    assert copy.copy_from(source_namespace="things").rows_affected == 1
    assert branch.branch_from(source_namespace="things").rows_affected == 1
    ns.write(deletes=[1])
    assert rows_of(copy) == rows_of(branch) == [{"id": 1, "a": ["x"]}]


# ---- refusals ----

@pytest.mark.parametrize("write, kind, text", [
    (dict(upsert_rows=[{"id": 1}, {"id": 1}]), turbopuffer.BadRequestError, "duplicate document IDs"),
    (dict(upsert_rows=[{"id": 1, "n": "x"}]), turbopuffer.BadRequestError, "expected int"),
    (dict(upsert_rows=[{"id": 1, "f": 1.5}]), turbopuffer.BadRequestError, "declare float"),
    (dict(upsert_rows=[{"id": -1}]), turbopuffer.UnprocessableEntityError, "non-negative"),
    (dict(upsert_rows=[{"id": "x"}]), turbopuffer.BadRequestError, "of type uint"),
    (dict(upsert_rows=[{"id": 1, "s": "x" * 4097}]), turbopuffer.BadRequestError, "4097 bytes"),
    (dict(deletes=[1], delete_condition=("nope", "Eq", 1)), turbopuffer.BadRequestError, "no attribute"),
    (dict(delete_condition=("n", "Eq", 1)), turbopuffer.BadRequestError, "without its operation"),
    (dict(upsert_rows=[{"id": 1}], schema={"n": "string"}), turbopuffer.BadRequestError, "cannot become string"),
    (dict(upsert_rows=[{"id": 1}], distance_metric="cosine_distance"), turbopuffer.BadRequestError, "with a vector"),
    (dict(delete_by_filter=("n", "In", [1, None])), turbopuffer.UnprocessableEntityError, "takes no null"),
    (dict(), turbopuffer.BadRequestError, "no operation"),
])
def test_refused_writes_change_nothing(local, ns, write, kind, text):
    ns.write(upsert_rows=[{"id": 9, "n": 1}])
    before = local.dump(), local.journal()["last"], ns.schema()
    with pytest.raises(kind, match=text):
        ns.write(**write)
    assert (local.dump(), local.journal()["last"], ns.schema()) == before


def test_a_key_is_asked_for(local):
    with Turbopuffer(api_key=" ", base_url=local.url, default_headers={"Authorization": "none"}) as client:
        with pytest.raises(turbopuffer.AuthenticationError):
            client.namespace("x").write(upsert_rows=[{"id": 1}])


def test_a_bad_name_is_refused_in_plain_text(client):
    with pytest.raises(turbopuffer.BadRequestError) as caught:
        client.namespace("no blanks").write(upsert_rows=[{"id": 1}])
    assert caught.value.response.headers["content-type"].startswith("text/plain")


# ---- transport and faults ----

def test_bodies_go_packed_both_ways(local, monkeypatch):
    monkeypatch.delenv("TURBOPUFFER_REGION", raising=False)
    with Turbopuffer(api_key=API_KEY, base_url=local.url, compression=True) as client:
        ns = client.namespace("packed")
        ns.write(upsert_columns={"id": list(range(1000)), "text": ["the same text " * 10] * 1000})
        answer = ns.with_raw_response.query(rank_by=("id", "asc"), limit=1000, include_attributes=True)
        assert answer.headers["content-encoding"] == "gzip"
        assert len(answer.parse().rows) == 1000


@pytest.mark.parametrize("rules", [
    [{"action": "status", "status": 429, "retry_after_ms": 20, "times": 3}],
    [{"action": "status", "status": 503, "retry_after_ms": 20, "plain": True, "error": "upstream"}],
    [{"action": "status", "status": 409, "retry_after_ms": 20}, {"action": "status", "status": 500, "retry_after_ms": 20}],
    [{"action": "reset_before"}],
    [{"action": "reset_before", "times": 2}],
], ids=lambda rules: rules[0]["action"] + str(rules[0].get("status", "")))
def test_the_client_retries_until_it_is_written(local, ns, rules):
    local.faults(*rules)
    assert ns.write(upsert_rows=[{"id": 1}]).rows_upserted == 1
    assert len(local.journal()["entries"]) == 1


def test_a_retry_after_an_applied_write_is_skipped(local, ns):
    """The connection is lost behind the write: its retry finds its own version there."""
    local.faults({"action": "reset_after"})
    answer = ns.write(upsert_rows=[{"id": 1, **version(5)}], schema=VERSIONS, upsert_condition=NEWER)
    assert answer.rows_upserted == 0
    assert [entry["effect"] for entry in local.journal()["entries"]] == ["applied", "skipped"]
    assert local.journal()["regressions"] == 0


def test_a_202_is_polled_to_its_end(local, ns):
    local.faults({"action": "accepted_202", "apply_after": 1, "times": 2})
    assert ns.write(upsert_rows=[{"id": 1}]).rows_upserted == 1
    with pytest.raises(turbopuffer.BadRequestError, match="duplicate"):
        ns.write(upsert_rows=[{"id": 2}, {"id": 2}])
    assert local.dump() == {"things": [{"id": 1}]}


def test_delays_reach_the_clients_timeout(local, client):
    local.faults({"action": "delay", "delay_ms": 5000, "times": 1})
    impatient = client.with_options(timeout=0.3, max_retries=0).namespace("things")
    start = time.monotonic()
    with pytest.raises(turbopuffer.APITimeoutError):
        impatient.write(upsert_rows=[{"id": 1}])
    assert time.monotonic() - start < 4


def test_rule_19_the_zombie(local, client):
    """U1 times out and is retried, D2 deletes, then the first U1 is applied: the document is back for good."""
    ns = client.namespace("things")
    local.faults({"action": "apply_later"})
    ns.write(upsert_rows=[{"id": 1, **version(1)}], schema=VERSIONS, upsert_condition=NEWER)
    older = ("Or", [("__source_lsn", "Lt", 2), ("__source_lsn", "Eq", None)])
    assert ns.write(deletes=[1], delete_condition=older, schema=VERSIONS).rows_deleted == 1
    assert local.dump("things") == {"things": []}
    assert local.apply_later_now() == {"applied": 1}
    assert local.dump("things") == {"things": [{"id": 1, **version(1)}]}
    ns.write(deletes=[1], delete_condition=older, schema=VERSIONS)
    assert local.dump("things") == {"things": []}


def test_asynchronous_clients_write_at_the_same_time(local):
    async def write_all():
        async with AsyncTurbopuffer(api_key=API_KEY, base_url=local.url) as client:
            namespaces = [client.namespace(f"n{i % 4}") for i in range(40)]
            await asyncio.gather(*(ns.write(upsert_rows=[{"id": i, "n": i}]) for i, ns in enumerate(namespaces)))

    asyncio.run(write_all())
    assert [len(docs) for docs in local.dump().values()] == [10, 10, 10, 10]
