"""Starting, stopping, being refused: every wrong input gets one clear message, a non-zero exit, and loses nothing."""
import re

import pytest

from harness.mirror import documents, wait_mirrored
from harness.postgres import PASSWORD
from harness.puffgres import Project
from harness.waiting import wait_until

TABLE = "CREATE TABLE notes (id bigint PRIMARY KEY, body text)"
QUERY = "SELECT * FROM notes"


def make_project(folder, database, local, table="notes"):
    folder.mkdir(exist_ok=True)
    project = Project(folder, database, local)
    project.migration("notes", table, columns=["id", "body"])
    return project


@pytest.fixture
def notes(project, database):
    database.execute(TABLE)
    project.migration("notes", "notes", columns=["id", "body"])
    return database


def refused(project, *args, exit_status=78, says=(), env=None):
    done = project.command(*args, env=env)
    said = done.stdout + done.stderr
    assert done.returncode == exit_status, f"exit {done.returncode}\n{said}"
    for text in says:
        assert text in said, f"{text!r} is not in\n{said}"
    assert PASSWORD not in said and "tpuf_test" not in said
    return said


# ---- preflight ----

def test_check_accepts_a_good_project(project, notes, postgres_version):
    project.ok("check")


def test_everything_that_is_wrong_is_told_in_one_go(tmp_path, start_postgres, local):
    server = start_postgres(settings={"wal_level": "replica"})
    database = server.create_database()
    database.execute("CREATE TABLE notes (id bigint, body text); CREATE TABLE other (id bigint PRIMARY KEY)")
    project = make_project(tmp_path / "p", database, local)
    project.migration("missing", "nots", columns=["id"], number=2)
    refused(project, "check", says=["wal_level", "ALTER SYSTEM SET wal_level = logical", "ALTER TABLE", "notes", "nots"])


def test_wrong_password(project, notes):
    project.ok("migrate")
    project.env["DATABASE_URL"] = notes.url(password="wrong secret")
    for command in ("check", "run"):
        said = refused(project, command, says=["password"])
        assert "wrong secret" not in said


def test_check_asks_the_destination(project, notes, local):
    local.faults({"match": {"op": "list"}, "action": "status", "status": 401, "times": 1})
    refused(project, "check", says=["turbopuffer answered 401", "api_key"])
    local.faults({"match": {"op": "list"}, "action": "status", "status": 403, "times": 1})
    project.ok("check")  # a key that may write need not be allowed to list
    project.env["TURBOPUFFER_BASE_URL"] = "http://127.0.0.1:1"
    refused(project, "check", says=["turbopuffer", "127.0.0.1"])


def test_database_that_is_not_there(project, notes):
    project.env["DATABASE_URL"] = notes.url().replace(notes.name, "nowhere")
    refused(project, "check", says=["nowhere"])


def test_server_that_is_not_there(project, notes):
    project.env["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    done = project.command("check")
    assert done.returncode != 0 and "127.0.0.1" in done.stdout + done.stderr


def test_variable_that_is_not_set(project, notes):
    del project.env["DATABASE_URL"]
    refused(project, "check", says=["DATABASE_URL", "puffgres.toml:2"])


@pytest.mark.parametrize("change, says", [
    (('columns = ["id", "body"]', 'columns = ["id", "boddy"]'), ["boddy", 'did you mean "body"']),
    (('table = "notes"', 'table = "note"'), ["note", "notes"]),
    (('[mapping]', '[maping]'), ["maping", "mapping"]),
    (('namespace = "notes"', 'namespace = "no/tes"'), ["no/tes"]),
    (('id = "id"', 'id = "id"\nmembership = "body = 3"'), ["body"]),
    (('id = "id"', 'id = "id"\nmembership = "body LIKE \'x\'"'), ["LIKE"]),
    (('id = "id"', 'id = "id'), [".toml:"]),
])
def test_typing_errors_in_a_migration(project, notes, change, says):
    path = project.folder / "puffgres/migrations/001_notes.toml"
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change))
    refused(project, "check", says=["001_notes.toml", *says])


@pytest.mark.parametrize("args, says", [
    (("chek",), ["chek", "check"]),
    (("run", "--slto", "x"), ["--slto", "--slot"]),
    (("run", "--from-lsn", "xyz"), ["xyz"]),
    ((), ["Usage"]),
])
def test_typing_errors_on_the_command_line(project, notes, args, says):
    refused(project, *args, exit_status=64, says=says)


def test_without_migrations_run_says_what_to_do(project, database):
    refused(project, "run", says=["migrat"])


def test_run_without_migrate_says_what_to_do(project, notes):
    refused(project, "run", says=["puffgres migrate"])


def test_no_superuser_is_needed(project, notes, run_puffgres, local, postgres_version):
    notes.execute("CREATE ROLE mirror LOGIN REPLICATION PASSWORD 'pw'")
    notes.execute(f'GRANT CREATE, CONNECT ON DATABASE "{notes.name}" TO mirror; GRANT USAGE ON SCHEMA public TO mirror')
    project.env["DATABASE_URL"] = notes.url(user="mirror", password="pw")
    refused(project, "check", says=["GRANT SELECT"])
    notes.execute("ALTER TABLE notes OWNER TO mirror")
    try:
        project.ok("check")
        project.ok("migrate")
        run = run_puffgres()
        run.wait_log("streaming")
        notes.execute("INSERT INTO notes VALUES (1, 'x')")
        wait_mirrored(notes, local, QUERY, "notes")
        assert run.stop() == 0
    finally:
        notes.execute("ALTER TABLE notes OWNER TO postgres; DROP OWNED BY mirror")
        notes.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                      " WHERE database = current_database() AND NOT active")
        notes.execute("DROP ROLE mirror")


def test_tls_and_scram(tmp_path, start_postgres, local, closing):
    server = start_postgres(tls=True)
    database = server.create_database()
    database.execute(TABLE)
    project = make_project(tmp_path / "p", database, local)
    project.env["DATABASE_URL"] = database.url(sslmode="verify-full", sslrootcert=str(server.root_cert),
                                               channel_binding="require")
    project.ok("migrate")
    run = closing(project.start())
    run.wait_log("streaming")
    database.execute("INSERT INTO notes VALUES (1, 'over TLS')")
    wait_mirrored(database, local, QUERY, "notes")
    assert run.stop() == 0
    project.env["DATABASE_URL"] = database.url(sslmode="disable")
    assert project.command("check").returncode == 78


# ---- restarts ----

def test_restarts_lose_nothing_and_write_nothing_twice(project, notes, run_puffgres, local, postgres_version):
    project.ok("migrate")
    for i in range(4):
        run = run_puffgres()
        run.wait_log("streaming")
        notes.execute("INSERT INTO notes SELECT i, 'n' FROM generate_series(%s::int, %s::int) i", (i * 100 + 1, i * 100 + 50))
        wait_mirrored(notes, local, QUERY, "notes")
        assert run.stop() == 0
        notes.execute("INSERT INTO notes SELECT i, 'm' FROM generate_series(%s::int, %s::int) i", (i * 100 + 51, i * 100 + 100))
    run_puffgres().wait_log("streaming")
    wait_mirrored(notes, local, QUERY, "notes")
    entries = local.journal()["entries"]
    assert len(entries) == 400, "rows were written twice after a clean stop"


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_rule_08_the_server_stops_while_we_stream_and_comes_back(tmp_path, start_postgres, local, closing, mode):
    server = start_postgres()
    database = server.create_database()
    database.execute(TABLE)
    project = make_project(tmp_path / "p", database, local)
    project.ok("migrate")
    run = closing(project.start())
    run.wait_log("streaming")
    database.execute("INSERT INTO notes VALUES (1, 'before')")
    wait_mirrored(database, local, QUERY, "notes")
    server.stop(mode, timeout=20)
    server.start()
    database.execute("INSERT INTO notes VALUES (2, 'after')")
    wait_mirrored(database, local, QUERY, "notes", timeout=30)
    assert run.alive and run.stop() == 0


def test_rule_10_a_second_run_waits_and_takes_over(project, notes, run_puffgres, local):
    project.ok("migrate")
    first = run_puffgres()
    first.wait_log("streaming")
    second = run_puffgres()
    second.wait_log("(held|in use|waiting|another).*puffgres")
    notes.execute("INSERT INTO notes VALUES (1, 'by the first')")
    wait_mirrored(notes, local, QUERY, "notes")
    assert "streaming" not in second.log_text()
    assert first.stop() == 0
    second.wait_log("streaming", timeout=20)
    notes.execute("INSERT INTO notes VALUES (2, 'by the second')")
    wait_mirrored(notes, local, QUERY, "notes")
    assert second.stop() == 0


# ---- refusals: positions may be repeated, never skipped ----

def started_once(project, notes, run_puffgres, local):
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")
    notes.execute("INSERT INTO notes VALUES (1, 'x')")
    wait_mirrored(notes, local, QUERY, "notes")
    assert run.stop() == 0


# ---- what changed while nobody ran ----

def test_rule_12_a_mapping_added_later_begins_when_its_table_is_published(project, notes, run_puffgres, local):
    started_once(project, notes, run_puffgres, local)
    notes.execute("CREATE TABLE later (id bigint PRIMARY KEY, body text); INSERT INTO later VALUES (1, 'too early')")
    project.migration("later", "later", columns=["id", "body"], number=2)
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")
    before = notes.value("SELECT pg_current_wal_insert_lsn()")
    notes.execute("INSERT INTO later VALUES (2, 'in time')")
    wait_until(lambda: set(documents(local, "later")) == {2}, 15, "the new mapping's row")
    begun = re.search(r"name=later .*from=(\S+)", run.log_text()).group(1)
    others = re.search(r"name=notes .*from=(\S+)", run.log_text()).group(1)
    assert notes.value("SELECT %s::pg_lsn > %s::pg_lsn AND %s::pg_lsn <= %s::pg_lsn", (begun, others, begun, before))
    assert run.stop() == 0


@pytest.mark.parametrize("kill_at", [None, "start.checkpointed"])
def test_rule_13_what_was_not_published_for_a_while_is_told(project, notes, run_puffgres, local, kill_at):
    started_once(project, notes, run_puffgres, local)
    name = notes.value("SELECT pubname FROM pg_publication")
    notes.execute(f"ALTER PUBLICATION {name} SET (publish = 'insert')")
    notes.execute("DELETE FROM notes")
    if kill_at:
        run_puffgres(kill_at=f"{kill_at}:1").wait()
    run = run_puffgres()
    run.wait_log("streaming")
    assert re.search(r"notes .*re-read needed", project.ok("status"))
    assert "why=\"the publication published other operations (iudt, now i)\"" in run.log_text()
    assert run.stop() == 0


def test_rule_11_a_lost_slot_is_a_gap(project, notes, run_puffgres, local):
    started_once(project, notes, run_puffgres, local)
    notes.execute("SELECT pg_drop_replication_slot('puffgres')")
    notes.execute("INSERT INTO notes VALUES (2, 'nobody saw this')")
    refused(project, "run", says=["puffgres", "slot"])
    assert set(documents(local, "notes")) == {1}


def test_rule_11_a_slot_ahead_of_the_checkpoint_is_a_gap(project, notes, run_puffgres, local):
    started_once(project, notes, run_puffgres, local)
    notes.execute("INSERT INTO notes VALUES (2, 'skipped by somebody')")
    notes.execute("SELECT pg_replication_slot_advance('puffgres', pg_current_wal_lsn())")
    refused(project, "run", says=["checkpoint"])


def test_defect_p1_13_rule_11_a_slot_of_another_plugin_is_refused_and_stays(project, notes):
    project.ok("migrate")
    notes.execute("SELECT pg_create_logical_replication_slot('puffgres', 'test_decoding')")
    refused(project, "run", says=["test_decoding", "pgoutput"])
    assert notes.server.slot("puffgres")["plugin"] == "test_decoding"


def test_rule_11_a_slot_that_is_not_ours_needs_from_lsn(project, notes, run_puffgres, local):
    project.ok("migrate")
    notes.execute("CREATE PUBLICATION puffgres FOR TABLE notes")
    notes.execute("SELECT pg_create_logical_replication_slot('puffgres', 'pgoutput')")
    notes.execute("INSERT INTO notes VALUES (1, 'in the slot')")
    lsn = str(notes.server.slot("puffgres")["confirmed_flush_lsn"])
    refused(project, "run", says=["--from-lsn", lsn])
    refused(project, "run", "--from-lsn", "0/1", says=["0/1"])
    run = run_puffgres("--from-lsn", lsn)
    run.wait_log("streaming")
    wait_mirrored(notes, local, QUERY, "notes")
    assert run.stop() == 0


def test_rule_05_another_cluster_is_refused_until_a_new_epoch(project, notes, run_puffgres, local, start_postgres):
    started_once(project, notes, run_puffgres, local)
    server = start_postgres()
    other = server.create_database()
    other.execute(TABLE)
    project.env["DATABASE_URL"] = other.url()
    refused(project, "run", says=["--new-epoch"])
    run = run_puffgres("--new-epoch")
    run.wait_log("streaming")
    other.execute("INSERT INTO notes VALUES (1, 'of the new epoch')")
    wait_until(lambda: documents(local, "notes").get(1) == {"body": "of the new epoch"}, 15, "the new epoch wins")
    assert local.dump("notes")["notes"][0]["__source_lsn"] >= 2**56
    assert run.stop() == 0


def test_create_slot_can_be_forbidden(project, notes):
    project.ok("migrate")
    for form in (["--no-create-slot"], ["--create-slot=false"], ["--create-slot", "false"]):
        refused(project, "run", *form, says=["slot"])
    assert notes.server.slot("puffgres") is None


def test_a_wrong_key_of_turbopuffer_stops_the_flow(project, notes, run_puffgres, local):
    project.ok("migrate")
    local.faults({"match": {"op": "write"}, "action": "status", "status": 401, "times": 0})
    run = run_puffgres()
    run.wait_log("streaming")
    notes.execute("INSERT INTO notes SELECT i, 'x' FROM generate_series(1, 50) i")
    assert run.wait(20) == 78
    assert "401" in run.log_text() and "tpuf_test" not in run.log_text()
    assert "401" in project.ok("status"), "status does not say why the last run ended"
    local.faults()
    run = run_puffgres()
    run.wait_log("streaming")
    wait_mirrored(notes, local, QUERY, "notes")
    assert run.stop() == 0
