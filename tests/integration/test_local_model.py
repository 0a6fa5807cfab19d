"""turbopuffer-local against a second reading of the rules: thirty lines of Python that say what a write does."""
import random

import pytest

NAMESPACE = "/v2/namespaces/model"
SCHEMA = {"v": "uint", "s": "uint", "text": "string", "n": "int"}
NEWER = ["Or", [["v", "Lt", {"$ref_new": "v"}], ["And", [["v", "Eq", {"$ref_new": "v"}], ["s", "Lt", {"$ref_new": "s"}]]],
                ["v", "Eq", None]]]


def version(row):
    """Null is below every number."""
    return (row.get("v", -1), row.get("s", -1))


class Model:
    def __init__(self):
        self.documents = {}

    def upsert(self, row, conditional):
        stored = self.documents.get(row["id"])
        if conditional and stored is not None and "v" in stored:
            if "v" not in row or not version(stored) < version(row):
                return 0
        self.documents[row["id"]] = {key: value for key, value in row.items() if value is not None}
        return 1

    def patch(self, row, conditional):
        stored = self.documents.get(row["id"])
        if stored is None or (conditional and "v" in stored and not ("v" in row and version(stored) < version(row))):
            return 0
        merged = {**stored, **row}
        self.documents[row["id"]] = {key: value for key, value in merged.items() if value is not None}
        return 1

    def delete(self, key, below):
        stored = self.documents.get(key)
        if stored is None:
            return 0 if below is not None else 1
        if below is not None and stored.get("v", -1) >= below:
            return 0
        del self.documents[key]
        return 1

    def delete_by_filter(self, below):
        gone = [key for key, stored in self.documents.items() if stored.get("n", -10**9) < below]
        for key in gone:
            del self.documents[key]
        return len(gone)

    def dump(self):
        return [self.documents[key] for key in sorted(self.documents)]


def random_row(rng, key):
    row = {"id": key}
    if rng.random() < 0.9:
        row |= {"v": rng.randrange(6), "s": rng.randrange(3)}
    if rng.random() < 0.6:
        row["text"] = rng.choice(["", "a", "žluť", "x" * 50])
    if rng.random() < 0.6:
        row["n"] = rng.randrange(-5, 5)
    return row


def random_request(rng, model):
    """A request, and the counts that the model expects of it."""
    ids = rng.sample(range(30), rng.randrange(1, 12))
    cut, conditional = rng.randrange(len(ids) + 1), rng.random() < 0.7
    upserts, deletes = [random_row(rng, key) for key in ids[:cut]], ids[cut:]
    kind, below = rng.choice(["upsert", "upsert", "patch"]), rng.choice([None, 0, 2, 4, 6])
    body, want = {"schema": SCHEMA}, {}

    if rng.random() < 0.1:
        body["delete_by_filter"] = ["n", "Lt", -3]
        want["rows_deleted"] = model.delete_by_filter(-3)
    if upserts:
        body |= rendered(rng, kind, upserts)
        if conditional:
            body[f"{kind}_condition"] = NEWER
        want[f"rows_{kind}ed" if kind == "patch" else "rows_upserted"] = \
            sum(getattr(model, kind)(row, conditional) for row in upserts)
    if deletes:
        body["deletes"] = deletes
        if below is not None:
            body["delete_condition"] = ["Or", [["v", "Lt", below], ["v", "Eq", None]]]
        want["rows_deleted"] = want.get("rows_deleted", 0) + sum(model.delete(key, below) for key in deletes)
    return body, want


def rendered(rng, kind, rows):
    """As rows or as columns. In a patch a null of columns clears, so rows of one shape go there."""
    if kind == "upsert" and rng.random() < 0.5:
        names = {name for row in rows for name in row}
        return {"upsert_columns": {name: [row.get(name) for row in rows] for name in names}}
    return {f"{kind}_rows": rows}


@pytest.mark.parametrize("seed", range(8))
def test_random_writes_end_as_the_model_says(local, seed):
    rng, model = random.Random(seed), Model()
    local.request("POST", NAMESPACE, {"create_namespace": True, "schema": {"id": "uint", **SCHEMA}})
    for _ in range(300):
        body, want = random_request(rng, model)
        answer = local.request("POST", NAMESPACE, body)
        assert {name: answer[name] for name in want} == want, body
        assert answer["rows_affected"] == sum(want.values()), body
    assert local.dump() == {"model": model.dump()}
