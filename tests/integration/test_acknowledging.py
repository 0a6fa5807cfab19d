"""What Postgres is told, and who may write: SEMANTICS 5 to 10, 29 and 30, and the defects that broke them."""
import re
import sqlite3
import threading
import time

import pytest

from harness.mirror import check_journal, documents, wait_mirrored
from harness.paths import SANITIZED
from harness.postgres import lsn_number
from harness.puffgres import CONFIG, Project
from harness.waiting import wait_until

TABLE = "CREATE TABLE notes (id bigint PRIMARY KEY, body text)"
QUERY = "SELECT * FROM notes"
DOWN = {"match": {"op": "write"}, "action": "status", "status": 503, "times": 0}


def make_project(folder, database, local, config=CONFIG):
    folder.mkdir(exist_ok=True)
    project = Project(folder, database, local, config)
    project.migration("notes", "notes", columns=["id", "body"])
    return project


@pytest.fixture
def notes(project, database):
    database.execute(TABLE)
    project.migration("notes", "notes", columns=["id", "body"])
    project.ok("migrate")
    return database


def confirmed(database, slot="puffgres"):
    return lsn_number(database.server.slot(slot)["confirmed_flush_lsn"])


# ---- nothing is acknowledged that is not durable ----

def test_defect_p1_02_a_write_that_fails_is_not_acknowledged(notes, project, local, run_puffgres):
    """Beside a target that is down another one is written all the time: checkpoints go on being saved and told."""
    notes.execute(f'ALTER DATABASE "{notes.name}" SET wal_sender_timeout = \'1500ms\'')  # feedback every half second
    notes.execute("CREATE TABLE beats (id bigint PRIMARY KEY)")
    project.migration("beats", "beats", columns=["id"], number=2)
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")
    local.faults({**DOWN, "match": {"op": "write", "namespace": "notes"}})
    notes.execute("INSERT INTO notes SELECT i, 'x' FROM generate_series(1, 500) i")
    after = notes.server.lsn()
    run.wait_log("trying again")
    for beat in range(30):
        notes.execute("INSERT INTO beats VALUES (%s)", (beat,))
        assert confirmed(notes) < after, "acknowledged what is nowhere"
        time.sleep(0.1)
    assert len(documents(local, "beats")) > 20 and documents(local, "notes") == {}
    run.kill()
    assert confirmed(notes) < after
    local.faults()
    run_puffgres().wait_log("streaming")
    wait_mirrored(notes, local, QUERY, "notes")
    wait_mirrored(notes, local, "SELECT * FROM beats", "beats")


def test_defect_p2_10_rule_06_keepalives_alone_move_the_slot(notes, local, run_puffgres, shared_servers):
    """Other databases write, ours does not; WAL must not pile up."""
    run = run_puffgres()
    run.wait_log("streaming")
    other = notes.server.create_database()
    try:
        other.execute("CREATE TABLE busy AS SELECT repeat('x', 1000) FROM generate_series(1, 2000)")
        goal = notes.server.lsn()
        wait_until(lambda: confirmed(notes) >= goal, 20, "the slot follows without a change of ours")
        assert run.stop() == 0
    finally:
        notes.server.drop_database(other)


def test_defect_p2_02_defect_p2_06_a_large_transaction_is_many_requests_and_all_of_it(notes, local, run_puffgres):
    run = run_puffgres()
    run.wait_log("streaming")
    with notes.connect(autocommit=False) as connection:
        connection.execute("INSERT INTO notes SELECT i, 'x' FROM generate_series(1, 20000) i")
        connection.execute("UPDATE notes SET body = 'y' WHERE id % 2 = 0")
        connection.execute("DELETE FROM notes WHERE id % 10 = 0")
        connection.commit()
    wait_mirrored(notes, local, QUERY, "notes", timeout=30)
    check_journal(local)
    assert "dead letter" not in run.log_text()


def test_defect_p1_01_defect_p2_01_defect_p2_13_a_replay_of_everything_changes_nothing(
        project, notes, local, run_puffgres, tmp_path, closing):
    """A second project with nothing but an old copy of the slot sends all of it again, over newer documents."""
    run = run_puffgres()
    run.wait_log("streaming")
    notes.execute("SELECT pg_copy_logical_replication_slot('puffgres', 'replay')")
    start = str(notes.server.slot("replay")["confirmed_flush_lsn"])
    for turn in range(5):
        notes.execute("INSERT INTO notes SELECT i, 'turn ' || %s FROM generate_series(1, 200) i"
                      " ON CONFLICT (id) DO UPDATE SET body = excluded.body", (turn,))
        notes.execute("UPDATE notes SET id = id + 1000 WHERE id = %s", (turn + 1,))
        notes.execute("DELETE FROM notes WHERE id %% 7 = %s", (turn,))
    want = wait_mirrored(notes, local, QUERY, "notes")
    seen = len(local.journal()["entries"])
    again = make_project(tmp_path / "again", notes, local,
                         CONFIG.replace("[turbopuffer]", 'publication = "puffgres"\n\n[turbopuffer]'))
    again.ok("migrate")
    replay = closing(again.start("--slot", "replay", "--from-lsn", start))
    replay.wait_log("streaming")
    goal = notes.server.lsn()
    torn = []
    while confirmed(notes, "replay") < goal - 8192 and len(torn) < 1000:
        torn.append(documents(local, "notes") == want)
    wait_until(lambda: confirmed(notes, "replay") >= goal - 8192, 15, "the replay is through")
    assert documents(local, "notes") == want and all(torn), "an old version could be seen"
    assert not [entry for entry in local.journal()["entries"][seen:] if entry.get("applied")], "something was written"
    check_journal(local)
    assert replay.stop() == 0 and run.stop() == 0


# ---- feedback ----

@pytest.mark.parametrize("fault", [DOWN, {"match": {"op": "write"}, "action": "delay", "delay_ms": 4000, "times": 1}])
def test_rule_08_postgres_hears_from_us_whatever_the_target_does(notes, project, local, run_puffgres, fault):
    notes.execute(f'ALTER DATABASE "{notes.name}" SET wal_sender_timeout = \'1500ms\'')
    run = run_puffgres()
    run.wait_log("streaming")
    local.faults(fault)
    notes.execute("INSERT INTO notes VALUES (1, 'slow')")
    pid = notes.server.slot("puffgres")["active_pid"]
    time.sleep(3.5)
    assert pid and notes.server.slot("puffgres")["active_pid"] == pid, "the walsender gave us up"
    local.faults()
    wait_mirrored(notes, local, QUERY, "notes")
    assert run.stop() == 0


# ---- the fence ----

def lock_of(database):
    """(pid, classid, objid, objsubid) of the advisory lock that a run holds in this database."""
    with database.connect() as connection:
        return connection.execute(
            "SELECT pid, classid::bigint, objid::bigint, objsubid FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())").fetchone()


def test_rule_10_without_the_lock_nothing_is_written(notes, local, run_puffgres):
    run = run_puffgres()
    run.wait_log("streaming")
    pid, high, low, kind = lock_of(notes)
    key = (high << 32 | low) if kind == 1 else None
    taker = notes.connect()
    args = (f"{key - 2**64 if key >= 2**63 else key}" if kind == 1 else
            f"{high - 2**32 if high >= 2**31 else high}, {low - 2**32 if low >= 2**31 else low}")
    waiter = threading.Thread(target=taker.execute, args=(f"SELECT pg_advisory_lock({args})",))
    waiter.start()
    wait_until(lambda: notes.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == 1, 5)
    notes.execute("SELECT pg_terminate_backend(%s)", (pid,))
    waiter.join(10)
    assert not waiter.is_alive()
    run.wait_log("lock")
    notes.execute("INSERT INTO notes VALUES (1, 'must wait')")
    time.sleep(1.5)
    assert documents(local, "notes") == {}, "written without the lock"
    taker.execute(f"SELECT pg_advisory_unlock({args})")
    wait_mirrored(notes, local, QUERY, "notes", timeout=30)
    taker.close()
    assert run.stop() == 0


def test_rule_10_a_lost_stream_is_taken_up_again(notes, local, run_puffgres):
    run = run_puffgres()
    run.wait_log("streaming")
    for i in range(3):
        notes.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'puffgres'")
        notes.execute("INSERT INTO notes VALUES (%s, 'x')", (i,))
        wait_mirrored(notes, local, QUERY, "notes")
    check_journal(local)
    assert run.stop() == 0


def test_rule_10_status_reads_life_from_the_lock(notes, project, run_puffgres):
    run = run_puffgres()
    run.wait_log("streaming")
    wait_until(lambda: re.search(r"^run +running", project.ok("status"), re.M), 5)
    run.kill()
    wait_until(lambda: "not running" in project.ok("status"), 5, "a dead run is not running, whatever it last wrote")


def test_rule_10_requests_cut_at_the_stop_are_recorded_as_unknown(notes, project, local, run_puffgres):
    run = run_puffgres()
    run.wait_log("streaming")
    local.faults({"match": {"op": "write"}, "action": "delay", "delay_ms": 60000, "times": 0})
    notes.execute("INSERT INTO notes VALUES (1, 'cut')")
    time.sleep(0.4)
    assert run.stop() == 0
    with sqlite3.connect(f"file:{project.folder}/puffgres/state/puffgres.db?mode=ro", uri=True) as state:
        until, = state.execute("SELECT until_ms FROM __puffgres_unknown").fetchone()
    assert until > time.time() * 1000 - 15000
    local.faults()


def test_rule_09_an_idle_run_writes_nothing(notes, project, local, run_puffgres):
    run = run_puffgres()
    run.wait_log("streaming")
    notes.execute("INSERT INTO notes VALUES (1, 'x')")
    wait_mirrored(notes, local, QUERY, "notes")
    state = f"file:{project.folder}/puffgres/state/puffgres.db?mode=ro"
    time.sleep(2.5)  # what there was to tell is told
    with sqlite3.connect(state, uri=True) as file:
        before = file.execute("SELECT text FROM __puffgres_meta WHERE key = 'heartbeat'").fetchone()
        lsn = notes.server.lsn()
        time.sleep(2.5)
        assert file.execute("SELECT text FROM __puffgres_meta WHERE key = 'heartbeat'").fetchone() == before != None
    assert notes.server.lsn() - lsn < 1024, "we make WAL by reading WAL"
    assert run.stop() == 0


# ---- clusters, timelines, prepared transactions, memory ----

def test_rule_05_a_failover_that_left_after_us_goes_on(tmp_path, start_postgres, local, closing):
    server = start_postgres()
    database = server.create_database()
    database.execute(TABLE)
    project = make_project(tmp_path / "p", database, local)
    project.ok("migrate")
    run = closing(project.start())
    run.wait_log("streaming")
    database.execute("INSERT INTO notes VALUES (1, 'on the first timeline')")
    wait_mirrored(database, local, QUERY, "notes")
    assert run.stop() == 0
    database.execute("INSERT INTO notes VALUES (2, 'while nobody ran')")
    server.stop()
    server.configure(restore_command="false")
    signal = server.data / "recovery.signal"  # ends recovery at once, on a timeline of its own
    signal.touch()
    signal.chmod(0o666)
    server.start()
    assert database.value("SELECT timeline_id FROM pg_control_checkpoint()") == 2 or \
        "00000002" in database.value("SELECT pg_walfile_name(pg_current_wal_lsn())")
    database.execute("INSERT INTO notes VALUES (3, 'on the second timeline')")
    run = closing(project.start())
    run.wait_log("streaming")
    wait_mirrored(database, local, QUERY, "notes")
    assert run.stop() == 0


def test_rule_29_prepared_transactions_come_at_their_commit(tmp_path, start_postgres, local, closing):
    server = start_postgres(settings={"max_prepared_transactions": "5"})
    database = server.create_database()
    database.execute(TABLE)
    project = make_project(tmp_path / "p", database, local)
    project.ok("migrate")
    run = closing(project.start())
    run.wait_log("streaming")
    for name, row in (("kept", 1), ("dropped", 2)):
        database.execute(f"BEGIN; INSERT INTO notes VALUES ({row}, 'prepared'); PREPARE TRANSACTION '{name}'")
    database.execute("INSERT INTO notes VALUES (3, 'between')")
    wait_until(lambda: set(documents(local, "notes")) == {3}, 10)
    assert run.stop() == 0
    run = closing(project.start())
    run.wait_log("streaming")
    database.execute("COMMIT PREPARED 'kept'")
    database.execute("ROLLBACK PREPARED 'dropped'")
    wait_mirrored(database, local, QUERY, "notes")
    assert set(documents(local, "notes")) == {1, 3}
    assert run.stop() == 0


def test_rule_30_memory_stays_below_budget_and_two_messages(notes, project, local, run_puffgres):
    size_mib = 24
    text = (project.folder / "puffgres/migrations/001_notes.toml").read_text()
    project.write("puffgres/migrations/001_notes.toml",
                  text.replace("version = 1", "version = 2") + 'destination = "null"\n')
    project.write("puffgres.toml", CONFIG + '\n[batching]\nmemory_budget = "8MiB"\n')
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")

    def memory_mib(field):
        with open(f"/proc/{run.pid}/status", encoding="ascii") as file:
            return int(re.search(rf"{field}:\s+(\d+) kB", file.read())[1]) // 1024
    empty = memory_mib("VmRSS")
    for i in range(6):
        notes.execute("INSERT INTO notes VALUES (%s, repeat('x', %s))", (i, size_mib << 20))
    goal = notes.server.lsn()
    wait_until(lambda: confirmed(notes) >= goal - 8192, 30, "all of it is through")
    notes.execute("INSERT INTO notes SELECT i, repeat('y', 1000) FROM generate_series(100, 30000) i")
    goal = notes.server.lsn()
    wait_until(lambda: confirmed(notes) >= goal - 8192, 30, "and 30 MB in small rows")
    if not SANITIZED:
        assert memory_mib("VmHWM") <= empty + 8 + 2 * size_mib + 16, "more than budget and two messages"
        wait_until(lambda: memory_mib("VmRSS") <= empty + 8 + 16, 10, "the connection gives its buffer back")
    assert run.stop() == 0
