"""What happens to a Postgres: sessions that are ended, rights that go, slots and publications that are touched."""
import re
import threading
import time

import pytest

from harness.mirror import check_journal, documents, wait_mirrored
from harness.postgres import lsn_number
from harness.puffgres import Project
from harness.waiting import wait_until
from harness.local import Local

TABLE = ("CREATE TABLE notes (id bigint PRIMARY KEY, body text); "
         "ALTER TABLE notes ALTER body SET STORAGE EXTERNAL")
ALL = "SELECT * FROM notes"
MORE = '[target.schema]\nbody = { type = "string", filterable = false }\n'


@pytest.fixture
def notes(project, database):
    database.execute(TABLE)
    project.migration("notes", "notes", columns=["id", "body"], more=MORE)
    project.ok("migrate")
    return database


@pytest.fixture
def own(start_postgres, tmp_path, closing):
    """own(settings): (project, database, local, run) on a server of its own with the table notes."""
    def make(**settings):
        server = start_postgres(settings=settings)
        database = server.create_database()
        local = closing(Local(tmp_path)).start()
        folder = tmp_path / "project"
        folder.mkdir()
        project = Project(folder, database, local)
        database.execute(TABLE)
        project.migration("notes", "notes", columns=["id", "body"], more=MORE)
        project.ok("migrate")
        return project, database, local, lambda *args, **options: closing(project.start(*args, **options))
    return make


def told(database, slot="puffgres"):
    return lsn_number(database.server.slot(slot)["confirmed_flush_lsn"])


def sessions(database):
    return database.execute("SELECT pid, application_name FROM pg_stat_activity WHERE datname = current_database()"
                            " AND application_name LIKE 'puffgres%%'")


def test_every_session_of_ours_is_ended_again_and_again(notes, local, run_puffgres):
    run = run_puffgres()
    run.wait_log("streaming")
    notes.execute("INSERT INTO notes SELECT i, repeat('x', 5000) FROM generate_series(1, 200) i")
    for turn in range(12):
        notes.execute(f"UPDATE notes SET id = id + 1000 WHERE id BETWEEN {turn * 10} AND {turn * 10 + 9}")
        notes.execute(f"INSERT INTO notes SELECT 100000 + {turn} * 1000 + i, 'y' FROM generate_series(1, 300) i")
        for pid, name in sessions(notes):
            if turn % 3 == 0 or (turn % 3 == 1) == ("lock" in name):
                notes.execute("SELECT pg_terminate_backend(%s)", (pid,))
        time.sleep(0.3)
    wait_mirrored(notes, local, ALL, "notes", timeout=40)
    check_journal(local)
    assert run.stop() == 0


@pytest.mark.parametrize("mode", ["immediate", "fast"])
def test_the_server_crashes_under_load(own, mode):
    project, database, local, start = own(fsync="on", synchronous_commit="on")
    run = start()
    run.wait_log("streaming")
    stopping = threading.Event()

    def load():
        i = 0
        while not stopping.is_set():
            try:
                with database.connect() as connection:
                    while not stopping.is_set():
                        i += 1
                        connection.execute("INSERT INTO notes VALUES (%s, 'x') ON CONFLICT (id) DO UPDATE SET body = %s",
                                           (i % 500, str(i)))
            except Exception:
                time.sleep(0.1)
    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    for _ in range(3):
        time.sleep(1)
        database.server.stop(mode)
        database.server.start()
    stopping.set()
    thread.join(10)
    wait_mirrored(database, local, ALL, "notes", timeout=60)
    check_journal(local)
    assert run.stop() == 0


def test_rule_08_feedback_goes_on_while_the_target_hangs(own):
    project, database, local, start = own(wal_sender_timeout="2s")
    run = start()
    run.wait_log("streaming")
    local.faults({"match": {"op": "write"}, "action": "delay", "delay_ms": 12000, "times": 1})
    database.execute("INSERT INTO notes SELECT i, repeat('x', 2000) FROM generate_series(1, 60000) i")
    pid = database.value("SELECT pid FROM pg_stat_replication")
    time.sleep(8)
    assert database.value("SELECT pid FROM pg_stat_replication") == pid, run.log_text()[-2000:]
    assert len(re.findall("msg=streaming", run.log_text())) == 1
    wait_mirrored(database, local, ALL, "notes", timeout=90)
    assert run.stop() == 0


@pytest.mark.matrix
def test_rule_09_an_idle_database_does_not_pin_wal(project, notes, local, run_puffgres):
    run = run_puffgres()
    run.wait_log("streaming")
    other = notes.server.create_database()
    other.execute("CREATE TABLE busy (x int)")
    before = told(notes)
    deadline = time.monotonic() + 25
    while time.monotonic() < deadline:
        other.execute("INSERT INTO busy SELECT generate_series(1, 100)")
        time.sleep(0.2)
    after = told(notes)
    assert after > before, "the slot stands still while another database writes"
    other.server.drop_database(other)
    assert run.stop() == 0


def test_rule_04_the_right_to_read_goes_while_rows_are_read_back(own):
    project, database, local, start = own()
    database.execute("CREATE ROLE reader LOGIN REPLICATION PASSWORD 'secret word'; GRANT CREATE ON DATABASE %s TO reader;"
                     "ALTER TABLE notes OWNER TO reader; GRANT pg_monitor TO reader" % database.name)
    project.env["DATABASE_URL"] = database.url(user="reader", password="secret word")
    run = start()
    run.wait_log("streaming")
    database.execute("INSERT INTO notes VALUES (1, repeat('x', 9000))")
    wait_mirrored(database, local, ALL, "notes")
    run.stop()
    database.execute("ALTER TABLE notes OWNER TO postgres; REVOKE ALL ON notes FROM reader; GRANT SELECT ON notes TO reader;"
                     "ALTER PUBLICATION puffgres OWNER TO reader")
    run = start()
    run.wait_log("streaming")
    database.execute("REVOKE SELECT ON notes FROM reader")
    before = told(database)
    database.execute("UPDATE notes SET id = 2")
    assert run.wait(20) == 78, run.log_text()[-2000:]
    assert "secret word" not in run.log_text() and "secret%20word" not in run.log_text()
    database.execute("GRANT SELECT ON notes TO reader")
    run = start()
    run.wait_log("streaming")
    wait_mirrored(database, local, ALL, "notes")
    assert run.stop() == 0


def test_the_password_changes_while_running(own):
    project, database, local, start = own()
    run = start()
    run.wait_log("streaming")
    database.server.admin.execute("ALTER ROLE postgres PASSWORD 'another one'")
    database.execute("INSERT INTO notes VALUES (1, repeat('x', 9000))")
    wait_mirrored(database, local, ALL, "notes")
    database.server.admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
    assert run.wait(30) == 78, run.log_text()[-2000:]
    assert "correct horse" not in run.log_text() and "correct%20horse" not in run.log_text()
    database.server.admin.execute("ALTER ROLE postgres PASSWORD 'correct horse'")


def test_rule_11_the_slot_is_dropped_while_running(project, notes, local, run_puffgres):
    run = run_puffgres()
    run.wait_log("streaming")
    notes.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'puffgres'")
    for _ in range(200):
        try:
            notes.execute("SELECT pg_drop_replication_slot('puffgres')")
            break
        except Exception:
            notes.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                          " WHERE slot_name = 'puffgres' AND active")
    assert run.wait(30) == 78, run.log_text()[-2000:]
    assert "gone" in run.log_text()


def test_rule_11_the_slot_is_advanced_while_it_is_free(project, notes, local, run_puffgres):
    run = run_puffgres()
    run.wait_log("streaming")
    notes.execute("INSERT INTO notes VALUES (1, 'a')")
    wait_mirrored(notes, local, ALL, "notes")
    local.faults({"match": {"op": "write"}, "action": "status", "status": 503, "times": 0})
    notes.execute("INSERT INTO notes VALUES (2, 'b')")
    for _ in range(2000):
        try:
            notes.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                          " WHERE slot_name = 'puffgres' AND active")
            notes.execute("SELECT pg_replication_slot_advance('puffgres', pg_current_wal_lsn())")
            break
        except Exception:
            pass
    assert run.wait(30) == 78, run.log_text()[-2000:]
    assert "past our checkpoint" in run.log_text()


def test_rule_11_the_slot_is_invalidated_while_away(own):
    project, database, local, start = own(max_slot_wal_keep_size="16MB", max_wal_size="64MB", min_wal_size="32MB")
    run = start()
    run.wait_log("streaming")
    run.stop()
    database.execute("CREATE TABLE filler (x text); ALTER TABLE filler ALTER x SET STORAGE EXTERNAL")
    for _ in range(6):
        database.execute("INSERT INTO filler SELECT repeat(md5(random()::text), 100) FROM generate_series(1, 6000)")
        database.execute("CHECKPOINT")
    assert database.server.slot("puffgres")["wal_status"] in ("lost", "unreserved")
    run = start()
    assert run.wait(30) == 78, run.log_text()[-2000:]
    assert "--accept-gap" in run.log_text()


def test_rule_11_the_publication_is_dropped_while_running(project, notes, local, run_puffgres):
    run = run_puffgres()
    run.wait_log("streaming")
    notes.execute("DROP PUBLICATION puffgres")
    notes.execute("INSERT INTO notes VALUES (1, 'lost?')")
    code = run.wait(30)
    assert code == 78, run.log_text()[-2000:]
    assert "publication" in run.log_text()


def test_rule_13_a_table_leaves_and_reenters_the_publication_while_running(project, notes, local, run_puffgres):
    run = run_puffgres()
    run.wait_log("streaming")
    notes.execute("INSERT INTO notes VALUES (1, 'seen')")
    wait_mirrored(notes, local, ALL, "notes")
    notes.execute("ALTER PUBLICATION puffgres DROP TABLE notes")
    notes.execute("INSERT INTO notes VALUES (2, 'unseen')")
    notes.execute("ALTER PUBLICATION puffgres ADD TABLE ONLY notes")
    notes.execute("INSERT INTO notes VALUES (3, 'seen again')")
    wait_until(lambda: 3 in documents(local, "notes"), 15, "the third row")
    run.stop()
    run = run_puffgres()
    run.wait_log("streaming")
    assert "re-read needed" in run.log_text()
    assert "re-read" in project.ok("status")
    assert run.stop() == 0


@pytest.mark.parametrize("identity, kept", [("FULL", True), ("NOTHING", False), ("USING INDEX notes_body", False)])
def test_rule_28_replica_identity_changes_while_running(project, notes, local, run_puffgres, identity, kept):
    notes.execute("ALTER TABLE notes ALTER body SET NOT NULL; CREATE UNIQUE INDEX notes_body ON notes (body)")
    run = run_puffgres()
    run.wait_log("streaming")
    notes.execute("INSERT INTO notes VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    wait_mirrored(notes, local, ALL, "notes")
    notes.execute(f"ALTER TABLE notes REPLICA IDENTITY {identity}")
    notes.execute("INSERT INTO notes VALUES (4, 'd')")
    if identity == "NOTHING":
        with pytest.raises(Exception):
            notes.execute("DELETE FROM notes WHERE id = 1")
    else:
        notes.execute("DELETE FROM notes WHERE id = 1")
        notes.execute("UPDATE notes SET id = 20, body = 'moved' WHERE id = 2")
    if kept:
        wait_mirrored(notes, local, ALL, "notes")
        assert run.stop() == 0
        return
    run.wait_log("mapping stopped")
    notes.execute("ALTER TABLE notes REPLICA IDENTITY DEFAULT")
    assert run.stop() == 0


def test_rule_10_two_runs_at_once(project, notes, local, run_puffgres):
    one = run_puffgres()
    one.wait_log("streaming")
    two = run_puffgres()
    time.sleep(2)
    notes.execute("INSERT INTO notes SELECT i, 'x' FROM generate_series(1, 100) i")
    wait_mirrored(notes, local, ALL, "notes")
    assert two.alive and "streaming" not in two.log_text().replace("no stream", "")
    one.kill()
    two.wait_log("msg=streaming", 30)
    notes.execute("DELETE FROM notes WHERE id < 50")
    wait_mirrored(notes, local, ALL, "notes")
    assert two.stop() == 0
