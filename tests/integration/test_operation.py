"""A project in operation: from its first file to poison rows, refusals, status and metrics."""
import json
import os
import re
import subprocess
import urllib.request

import pytest

from harness.mirror import documents, wait_mirrored
from harness.paths import program
from harness.postgres import lsn_number
from harness.puffgres import Project
from harness.waiting import wait_until

TABLE = "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text, active boolean)"
QUERY = "SELECT id, name, email FROM users"
COLUMNS = ["id", "name", "email"]
POISON = "repeat('x', 5000)"  # more than a filterable attribute takes


@pytest.fixture
def users(project, database):
    database.execute(TABLE)
    project.migration("users", "users", columns=COLUMNS)
    project.ok("migrate")
    return database


def status(project):
    return json.loads(project.ok("status", "--json"))


# ---- a new project ----

def test_init_makes_a_project_that_check_accepts_and_run_runs(tmp_path, database, local, closing):
    database.execute(TABLE)
    project = Project(tmp_path, database, local)
    (tmp_path / "puffgres.toml").unlink()
    project.ok("init", "mine")
    project.folder = tmp_path / "mine"
    assert {path.name for path in project.folder.rglob("*") if path.is_dir()} >= {"puffgres", "migrations", "transforms"}
    config = project.folder / "puffgres.toml"
    config.write_text(config.read_text().replace("api_key =", f'base_url = "{local.url}"\napi_key ='))
    project.migration("users", "users", columns=COLUMNS)
    project.ok("check")
    project.ok("migrate")
    run = closing(project.start())
    run.wait_log("streaming")
    database.execute("INSERT INTO users VALUES (1, 'a', 'b')")
    wait_mirrored(database, local, QUERY, "users")
    assert run.stop() == 0


@pytest.mark.parametrize("name", ["puffgres-cli", "anything", "puff gres"])
def test_it_works_by_any_name_through_a_link(project, users, tmp_path, name):
    link = tmp_path / name
    os.symlink(program("puffgres"), link)
    for args, says in ((["--version"], "puffgres"), (["check"], "everything is in order"), (["--help"], "Usage")):
        done = subprocess.run([str(link), *args], cwd=project.folder, env=project.environment(), capture_output=True,
                              text=True, timeout=30)
        assert done.returncode == 0 and says in done.stdout, (args, done)


# ---- migrate ----

def test_two_mappings_do_not_share_a_namespace(project, users, database):
    database.execute("CREATE TABLE other (id bigint PRIMARY KEY, name text)")
    project.migration("other", "other", columns=["id", "name"], namespace="users", number=2)
    done = project.command("check")
    assert done.returncode == 78 and "users" in done.stdout + done.stderr


@pytest.mark.parametrize("change, feature", [
    (('table = "users"', 'view = "users"'), "views as sources"),
    (('id = "id"', 'id = "id"\nmembership = { mode = "lookup" }'), "membership by look-up"),
    (('id = "id"', 'id = "id"\nmembership = { mode = "view" }'), "views as sources"),
    (('id = "id"', 'id = "id"\ntransform = "transforms/users.rs"'), "native transforms"),
    (('id = "id"', 'id = "id"\ntransform = "transforms/users.ts"'), "JavaScript and TypeScript transforms"),
])
def test_defect_p1_09_what_is_not_there_is_refused_by_its_name(project, database, change, feature):
    database.execute(TABLE)
    path = project.migration("users", "users", columns=COLUMNS)
    assert change[0] in path.read_text()
    path.write_text(path.read_text().replace(*change))
    for command in ("check", "migrate", "run"):
        done = project.command(command)
        assert done.returncode == 78 and feature in done.stdout + done.stderr, done
    assert database.value("SELECT count(*) FROM pg_publication") == 0


# ---- rows that cannot be delivered ----

def test_defect_p1_03_a_poison_row_is_kept_and_the_rest_goes_on(project, users, local, run_puffgres):
    run_puffgres().wait_log("streaming")
    users.execute(f"INSERT INTO users VALUES (1, 'before', 'a'), (2, 'poison', {POISON}), (3, 'after', 'b')")
    wait_until(lambda: set(documents(local, "users")) == {1, 3}, 10, "the others arrive")
    listed = json.loads(wait_until(lambda: project.ok("dlq", "list", "--json"), 5))
    assert listed["total"] == 1
    letter = listed["dead_letters"][0]
    assert letter["mapping"] == "users" and letter["mapping_version"] == 1 and letter["document_id"] == "2"
    assert letter["seq"] == 2 and letter["kind"] == "data" and letter["retry_count"] == 0
    assert letter["event"]["after"]["name"] == "poison" and len(letter["event"]["after"]["email"]) == 5000
    assert "email" in letter["error"] and "filterable" in letter["error"]
    shown = project.ok("dlq", "show", str(letter["id"]))
    for word in ("poison", letter["lsn"], "email"):
        assert word in shown
    assert json.loads(project.ok("dlq", "show", str(letter["id"]), "--json"))["id"] == letter["id"]
    assert json.loads(project.ok("dlq", "list", "--json", "--mapping", "users", "--limit", "1"))["total"] == 1
    done = project.command("dlq", "list", "--mapping", "usres")
    assert done.returncode == 78 and "usres" in done.stderr
    assert status(project)["dead_letters"] == 1
    done = project.command("dlq", "show", "99")
    assert done.returncode == 78 and "dlq list" in done.stderr


def test_defect_p2_07_a_row_without_a_possible_id_is_a_dead_letter(project, users, local, run_puffgres):
    run_puffgres().wait_log("streaming")
    users.execute("INSERT INTO users VALUES (1, 'fine'), (-1, 'no unsigned number'), (2, 'fine too')")
    wait_until(lambda: set(documents(local, "users")) == {1, 2}, 10, "the others arrive")
    letter, = json.loads(project.ok("dlq", "list", "--json"))["dead_letters"]
    assert letter["event"]["after"]["id"] == "-1" and 'encode = "string"' in letter["error"].replace("\\", "")


def test_rule_16_what_the_target_refuses_is_found_by_bisecting(project, users, local, run_puffgres):
    """Eight rows in one request; 400 to it and to its left parts down to one row."""
    local.faults({"match": {"op": "write"}, "action": "status", "status": 400, "times": 4})
    run_puffgres().wait_log("streaming")
    users.execute("INSERT INTO users SELECT i, 'n' FROM generate_series(1, 8) i")
    wait_until(lambda: set(documents(local, "users")) == set(range(2, 9)), 10, "all but the one it refuses")
    letters = json.loads(project.ok("dlq", "list", "--json"))["dead_letters"]
    assert [letter["document_id"] for letter in letters] == ["1"] and "400" in letters[0]["error"]
    users.execute("UPDATE users SET name = 'm' WHERE id = 1")
    wait_mirrored(users, local, QUERY, "users")


def test_strict_stops_at_the_first_poison_row_and_keeps_the_place(project, users, local, run_puffgres):
    run = run_puffgres("--strict")
    run.wait_log("streaming")
    users.execute("INSERT INTO users VALUES (1, 'before', 'a')")
    wait_mirrored(users, local, QUERY, "users")
    users.execute(f"INSERT INTO users VALUES (2, 'poison', {POISON})")
    place = users.server.lsn()
    users.execute("INSERT INTO users VALUES (3, 'after', 'b')")
    assert run.wait(10) == 65
    assert "email" in run.log_text()
    assert "no dead letters" in project.ok("dlq", "list")
    assert lsn_number(users.server.slot("puffgres")["confirmed_flush_lsn"]) < place, "acknowledged"
    again = run_puffgres("--strict")
    assert again.wait(10) == 65, "the poison row was skipped"
    run = run_puffgres()
    run.wait_log("streaming")
    wait_until(lambda: set(documents(local, "users")) == {1, 3}, 10)
    assert status(project)["dead_letters"] == 1


@pytest.mark.parametrize("status_code", [400, 422])
def test_rule_16_when_every_row_fails_alike_it_is_not_the_rows(project, users, local, run_puffgres, status_code):
    run = run_puffgres()
    run.wait_log("streaming")
    local.faults({"match": {"op": "write"}, "action": "status", "status": status_code, "times": 0})
    users.execute("INSERT INTO users SELECT i, 'n' FROM generate_series(1, 40) i")
    assert run.wait(20) == 78
    assert str(status_code) in run.log_text()
    assert "no dead letters" in project.ok("dlq", "list")
    local.faults()
    run_puffgres().wait_log("streaming")
    wait_mirrored(users, local, QUERY, "users")


@pytest.mark.parametrize("status_code", [401, 403, 404])
def test_defect_p1_14_a_refusal_is_not_repeated(project, users, local, run_puffgres, status_code):
    run = run_puffgres()
    run.wait_log("streaming")
    local.faults({"match": {"op": "write"}, "action": "status", "status": status_code, "times": 0})
    users.execute("INSERT INTO users VALUES (1, 'n')")
    assert run.wait(10) == 78
    assert str(status_code) in run.log_text() and "no dead letters" in project.ok("dlq", "list")
    assert sum(rule["fired"] for rule in local.request("GET", "/_local/faults")["rules"]) == 1
    local.faults()
    run_puffgres().wait_log("streaming")
    wait_mirrored(users, local, QUERY, "users")


# ---- status and metrics ----

def test_status_tells_it_to_programs(project, users, local, run_puffgres):
    assert "not running" in project.ok("status") or status(project)["state"] in ("unknown", "stopped")
    run = run_puffgres()
    run.wait_log("streaming")
    users.execute("INSERT INTO users SELECT i, 'n' FROM generate_series(1, 100) i")
    users.execute("DELETE FROM users WHERE id <= 30")
    wait_mirrored(users, local, QUERY, "users")
    lsn = users.server.lsn()
    seen = wait_until(lambda: (now := status(project))["run"] and now["run"]["counts"]["deletes"] == 30
                      and lsn_number(now["checkpoint"]) >= lsn - 8192 and now, 15, "the counters")
    assert seen["state"] == "running" and seen["run"]["pid"] == run.pid
    assert seen["run"]["counts"]["rows"] == 130 and seen["run"]["counts"]["events"] == 130
    assert seen["slot"]["active"] and seen["lag"]["bytes"] is not None
    assert seen["mappings"][0]["name"] == "users" and seen["held_by"] is None
    assert run.stop() == 0
    after = status(project)
    assert after["state"] == "stopped" and after["flow"]["clean_end"] and not after["slot"]["active"]
    users.execute("INSERT INTO users VALUES (1000, 'waits')")
    assert status(project)["lag"]["bytes"] > 0
    run = run_puffgres()
    run.wait_log("streaming")
    run.kill()
    assert wait_until(lambda: status(project)["state"] == "stopped", 10) and not status(project)["flow"]["clean_end"]


def test_metrics_are_what_happened(project, users, local, run_puffgres):
    run = run_puffgres("--metrics-listen", "0", "--log-format", "json")
    url = run.wait_log(r'"url":"(http://127\.0\.0\.1:\d+)')[1]
    run.wait_log("streaming")
    for line in run.log_text().splitlines():
        json.loads(line)
    users.execute("INSERT INTO users SELECT i, 'n' FROM generate_series(1, 100) i")
    users.execute(f"INSERT INTO users VALUES (101, 'poison', {POISON})")
    users.execute("DELETE FROM users WHERE id <= 30")

    def scrape():
        with urllib.request.urlopen(url + "/metrics", timeout=5) as answer:
            text = answer.read().decode()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line[:1] != "#"}
    got = wait_until(lambda: (now := scrape())["puffgres_deletes_total"] == 30 and now, 10, "the counters")
    assert got["puffgres_upserts_total"] == 100 and got["puffgres_dead_letters_total"] == 1
    assert got["puffgres_streaming"] == 1 and got["puffgres_events_total"] == 131
    assert got["puffgres_flush_lsn_bytes"] <= got["puffgres_checkpoint_lsn_bytes"] <= got["puffgres_durable_lsn_bytes"]
    assert run.stop() == 0


def test_metrics_that_cannot_listen_are_told_at_once(project, users, local):
    port = re.search(r":(\d+)$", local.url)[1]
    done = project.command("run", "--metrics-listen", port, timeout=15)
    assert done.returncode != 0 and port in done.stderr
