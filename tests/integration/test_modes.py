"""The same changes in every mode: layouts, forms of a request, versions or none, tombstones, lanes, destinations."""
import json

import pytest

from harness.mirror import check_journal, documents, rows, wait_mirrored
from harness.puffgres import CONFIG, Project
from harness.waiting import wait_until

TABLE = "CREATE TABLE items (id bigint PRIMARY KEY, name text, price numeric, shown boolean)"
QUERY = "SELECT * FROM items"
COLUMNS = ["id", "name", "price", "shown"]

FLAT = """\
version = 1
mapping_name = "items"
namespace = "items"
columns = ["id", "name", "price", "shown"]

[source]
schema = "public"
table = "items"

[id]
column = "id"
type = "uint"
"""


def change_everything(database):
    """Every kind of change, twice over, the last of it in one transaction."""
    database.execute("INSERT INTO items SELECT i, 'item ' || i, i * 1.5, i % 2 = 0 FROM generate_series(1, 300) i")
    database.execute("UPDATE items SET name = NULL, shown = NOT shown WHERE id % 5 = 0")
    database.execute("DELETE FROM items WHERE id % 7 = 0")
    database.execute("UPDATE items SET id = id + 1000 WHERE id <= 20")
    with database.connect(autocommit=False) as connection:
        connection.execute("DELETE FROM items WHERE id > 250 AND id < 1000")
        connection.execute("INSERT INTO items VALUES (260, 'back again', 1, true), (261, 'for a moment', 2, true)")
        connection.execute("UPDATE items SET price = price + 1 WHERE id BETWEEN 240 AND 265")
        connection.execute("DELETE FROM items WHERE id = 261")
        connection.commit()


MODES = {
    "nested_columns": "",
    "nested_rows": '[target.write]\nformat = "rows"\n',
    "small_batches": "[target.write]\nbatch_max_rows = 7\nflush_interval_ms = 0\n",
    "small_requests": '[target.write]\nbatch_max_bytes = "1KiB"\n',
    "four_lanes": "lanes = 4\n",
    "many_lanes_rows": 'lanes = 7\n\n[target.write]\nformat = "rows"\nbatch_max_rows = 10\n',
    "without_versions": '[versioning]\nmode = "none"\n',
    "tombstones": '[deletes]\nmode = "tombstone"\n',
    "tombstones_in_lanes": 'lanes = 3\n\n[deletes]\nmode = "tombstone"\n',
    "flat": None,
    "flat_rows": '\n[write]\nformat = "rows"\n\n[batching]\nbatch_max_rows = 25\n',
}


@pytest.mark.parametrize("mode", MODES)
def test_documents_equal_rows_in_every_mode(project, database, local, run_puffgres, mode):
    database.execute(TABLE)
    if mode.startswith("flat"):
        project.write("puffgres/migrations/0001_items.toml", FLAT + (MODES[mode] or ""))
    else:
        project.migration("items", "items", columns=COLUMNS, more=MODES[mode])
    project.ok("check")
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")
    change_everything(database)
    wait_mirrored(database, local, QUERY, "items")
    check_journal(local)
    database.execute("TRUNCATE items")
    database.execute("INSERT INTO items VALUES (1, 'after', 1, true)")
    wait_mirrored(database, local, QUERY, "items")
    check_journal(local)
    assert run.stop() == 0
    assert "level=error" not in run.log_text()


def test_rule_02_versions_none_writes_neither_attribute(project, database, local, run_puffgres):
    database.execute(TABLE)
    project.migration("items", "items", columns=COLUMNS, more=MODES["without_versions"])
    assert "can put an older row over a newer one" in project.ok("check"), "check does not say what mode none means"
    project.ok("migrate")
    run_puffgres().wait_log("streaming")
    database.execute("INSERT INTO items VALUES (1, 'a', 1, true)")
    wait_mirrored(database, local, QUERY, "items")
    assert set(local.dump("items")["items"][0]) == {"id", "name", "price", "shown"}
    assert not [name for name in local.request("GET", "/v1/namespaces/items/schema") if name.startswith("__")]


def test_rule_02_every_document_and_tombstone_has_both_halves_of_its_version(project, database, local, run_puffgres):
    database.execute(TABLE)
    project.migration("items", "items", columns=COLUMNS, more=MODES["tombstones"])
    project.ok("migrate")
    run_puffgres().wait_log("streaming")
    database.execute("INSERT INTO items SELECT i, 'a', 1, true FROM generate_series(1, 10) i")
    database.execute("DELETE FROM items WHERE id > 5")
    wait_mirrored(database, local, QUERY, "items")
    stored = local.dump("items")["items"]
    assert len(stored) == 10 and sum(bool(document.get("__deleted")) for document in stored) == 5
    assert all(document["__source_lsn"] > 0 and document["__source_seq"] > 0 for document in stored)
    by_id = {document["id"]: document for document in stored}
    assert [by_id[i]["__source_seq"] for i in range(1, 6)] == [1, 2, 3, 4, 5], "in the order of the transaction"
    assert len({by_id[i]["__source_lsn"] for i in range(1, 6)}) == 1


def test_rule_20_a_row_comes_back_over_its_tombstone(project, database, local, run_puffgres):
    database.execute(TABLE)
    project.migration("items", "items", columns=COLUMNS, more=MODES["tombstones"])
    project.ok("migrate")
    run_puffgres().wait_log("streaming")
    database.execute("INSERT INTO items VALUES (1, 'first', 1, true)")
    database.execute("DELETE FROM items")
    wait_until(lambda: local.dump("items").get("items") and local.dump("items")["items"][0].get("__deleted"), 10)
    assert {name for name, value in local.dump("items")["items"][0].items() if value is not None} == {
        "id", "__deleted", "__source_lsn", "__source_seq"}, "a tombstone keeps nothing of its row"
    database.execute("INSERT INTO items VALUES (1, 'second', 2, false)")
    wait_mirrored(database, local, QUERY, "items")


def test_rule_05_versions_go_on_in_a_new_epoch_and_win(project, database, local, run_puffgres):
    """The target has versions of another life of this database: higher ones. --new-epoch goes above them."""
    database.execute(TABLE)
    project.migration("items", "items", columns=COLUMNS)
    project.ok("migrate")
    columns = {"id": [1, 2], "name": ["old", "old"], "__source_lsn": [2**55, 2**55], "__source_seq": [1, 1]}
    local.request("POST", "/v2/namespaces/items", {
        "upsert_columns": columns, "schema": {"id": "uint", "__source_lsn": "uint", "__source_seq": "uint"}})
    run = run_puffgres()
    run.wait_log("streaming")
    database.execute("INSERT INTO items VALUES (1, 'new', NULL, NULL), (3, 'new', NULL, NULL)")
    wait_until(lambda: 3 in documents(local, "items"), 10, "the row without an older document")
    assert documents(local, "items")[1] == {"name": "old"}, "a smaller version replaced a greater one"
    assert run.stop() == 0
    confirmed = str(database.server.slot("puffgres")["confirmed_flush_lsn"])
    run = run_puffgres("--new-epoch", "--from-lsn", confirmed)  # all positions of the old epoch are forgotten
    run.wait_log("streaming")
    database.execute("UPDATE items SET name = 'newer'")
    wait_until(lambda: documents(local, "items")[1] == {"name": "newer"}, 10, "the new epoch wins")
    assert all(document["__source_lsn"] >> 56 == 1 for document in local.dump("items")["items"] if document["id"] != 2)
    assert run.stop() == 0


def test_a_prefix_keeps_environments_apart(project, database, local, run_puffgres):
    database.execute(TABLE)
    project.write("puffgres.toml", CONFIG.replace("[turbopuffer]\n", '[turbopuffer]\nnamespace_prefix = "staging-"\n'))
    project.migration("items", "items", columns=COLUMNS)
    project.ok("migrate")
    run_puffgres().wait_log("streaming")
    database.execute("INSERT INTO items VALUES (1, 'a', 1, true)")
    wait_mirrored(database, local, QUERY, "staging-items")


# ---- other destinations, other state ----

def test_stdout_prints_a_line_per_action_and_needs_no_key(tmp_path, database, closing):
    database.execute(TABLE)
    folder = tmp_path / "p"
    folder.mkdir()
    project = Project(folder, database, config='[postgres]\nconnection_string = "${DATABASE_URL}"\n')
    del project.env["TURBOPUFFER_API_KEY"]
    project.migration("items", "items", columns=COLUMNS, more='destination = "stdout"\n')
    project.ok("check")
    project.ok("migrate")
    run = closing(project.start())
    run.wait_log("streaming")
    change_everything(database)
    want = rows(database, QUERY)

    def mirror():
        found = {}
        for line in run.log_text().splitlines():
            if not line.startswith("{"):
                continue
            action = json.loads(line)
            name = next(key for key in ("op", "action", "type") if key in action)
            if action[name] == "delete":
                found.pop(int(action["id"]), None)
            else:
                found[int(action["id"])] = True
        return found.keys() == want.keys()
    wait_until(mirror, 15, "the lines, applied in order, give the rows")
    assert run.stop() == 0


def test_null_counts_and_drops(project, database, local, run_puffgres):
    database.execute(TABLE)
    project.migration("items", "items", columns=COLUMNS, more='destination = "null"\n')
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")
    change_everything(database)
    lsn = database.server.lsn()
    wait_until(lambda: (status := json.loads(project.ok("status", "--json")))["run"]
               and status["run"]["counts"]["rows"] > 300, 10, "rows are counted")
    assert run.stop() == 0
    assert local.dump() == {}
    flushed = database.server.slot("puffgres")["confirmed_flush_lsn"]
    high, low = str(flushed).split("/")
    assert (int(high, 16) << 32) + int(low, 16) >= lsn


def test_memory_keeps_no_state_and_says_so(project, database, local, run_puffgres):
    database.execute(TABLE)
    project.write("puffgres.toml", CONFIG.replace('backend = "sqlite"', 'backend = "memory"'))
    project.migration("items", "items", columns=COLUMNS)
    run = run_puffgres()
    run.wait_log("streaming")
    change_everything(database)
    wait_mirrored(database, local, QUERY, "items")
    for command, status in (("status", 0), ("dlq list", 78)):
        done = project.command(*command.split())
        assert done.returncode == status and '"memory"' in done.stdout + done.stderr, (command, done)
    assert run.stop() == 0
    assert not list((project.folder / "puffgres").glob("state/*"))
    wait_until(lambda: database.value("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()")
               == 0, 10, "the temporary slot is gone")
    database.execute("INSERT INTO items VALUES (5000, 'unseen', 1, true)")
    second = run_puffgres()
    second.wait_log("streaming")
    database.execute("INSERT INTO items VALUES (5001, 'seen', 1, true)")
    wait_until(lambda: 5001 in documents(local, "items"), 10)
    assert 5000 not in documents(local, "items")
    assert second.stop() == 0
