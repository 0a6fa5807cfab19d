"""Changes of every kind come over, on every version of Postgres; the rules of SEMANTICS by their numbers."""
import re

import pytest

from harness.mirror import check_journal, documents, wait_mirrored
from harness.waiting import wait_until

PEOPLE = "CREATE TABLE people (id bigint PRIMARY KEY, name text, age int, active boolean)"
ALL = "SELECT * FROM people"


@pytest.fixture
def people(project, database, run_puffgres, local):
    """A mirrored table and a running puffgres; call the result to wait until the mirror is true."""
    database.execute(PEOPLE)
    project.migration("people", "people", columns=["id", "name", "age", "active"])
    project.ok("migrate")
    run_puffgres().wait_log("streaming")

    def mirrored():
        wait_mirrored(database, local, ALL, "people")
        check_journal(local)
        return documents(local, "people")
    return mirrored


def test_insert_update_delete(people, database, postgres_version):
    database.execute("INSERT INTO people SELECT i, 'name ' || i, i, i % 2 = 0 FROM generate_series(1, 500) i")
    assert len(people()) == 500
    database.execute("UPDATE people SET name = upper(name), age = NULL WHERE id <= 100")
    people()
    database.execute("DELETE FROM people WHERE id % 3 = 0")
    assert len(people()) == 334


def test_defect_p1_06_a_key_change_leaves_no_document_behind(people, database, postgres_version):
    database.execute("INSERT INTO people VALUES (1, 'a', 1, true), (2, 'b', 2, false)")
    people()
    database.execute("UPDATE people SET id = 10, name = 'moved' WHERE id = 1")
    assert people() == {2: {"name": "b", "age": 2, "active": False}, 10: {"name": "moved", "age": 1, "active": True}}


def test_aborted_rows_are_never_visible(people, database, local, postgres_version):
    with database.connect(autocommit=False) as connection:
        connection.execute("INSERT INTO people VALUES (1, 'aborted')")
        connection.rollback()
        connection.execute("INSERT INTO people VALUES (2, 'kept')")
        connection.execute("SAVEPOINT s")
        connection.execute("INSERT INTO people VALUES (3, 'taken back')")
        connection.execute("UPDATE people SET name = 'wrong' WHERE id = 2")
        connection.execute("ROLLBACK TO s")
        connection.execute("INSERT INTO people VALUES (4, 'kept too')")
        connection.commit()
    assert set(people()) == {2, 4}
    assert {entry["id"] for entry in local.journal()["entries"]} == {2, 4}


def test_defect_p1_08_rule_18_truncate_inside_a_transaction(people, database, postgres_version):
    database.execute("INSERT INTO people SELECT i, 'before' FROM generate_series(1, 50) i")
    people()
    with database.connect(autocommit=False) as connection:
        connection.execute("INSERT INTO people VALUES (1000, 'gone with it')")
        connection.execute("TRUNCATE people")
        connection.execute("INSERT INTO people VALUES (1, 'after'), (2, 'after')")
        connection.commit()
    assert set(people()) == {1, 2}


def test_defect_p1_11_one_transaction_touches_an_id_many_times(people, database):
    with database.connect(autocommit=False) as connection:
        for i in range(5000):
            connection.execute("INSERT INTO people VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
                               (f"version {i}",))
        connection.execute("INSERT INTO people VALUES (2, 'x')")
        connection.execute("DELETE FROM people WHERE id = 2")
        connection.commit()
    assert people() == {1: {"name": "version 4999"}}


def test_interleaved_tables_and_transactions(project, database, local, run_puffgres):
    for name in ("left_side", "right_side"):
        database.execute(f"CREATE TABLE {name} (id bigint PRIMARY KEY, name text)")
        project.migration(name, name, columns=["id", "name"], number=1 if name == "left_side" else 2)
    database.execute("CREATE TABLE unmapped (id bigint PRIMARY KEY)")
    project.ok("migrate")
    run_puffgres().wait_log("streaming")
    with database.connect(autocommit=False) as one, database.connect(autocommit=False) as two:
        for i in range(200):
            one.execute("INSERT INTO left_side VALUES (%s, 'one')", (i,))
            two.execute("INSERT INTO right_side VALUES (%s, 'two')", (i,))
            two.execute("INSERT INTO left_side VALUES (%s, 'two')", (1000 + i,))
            one.execute("INSERT INTO unmapped VALUES (%s)", (i,))
        two.commit()
        one.execute("UPDATE left_side SET name = 'late' WHERE id < 50")
        one.commit()
    wait_mirrored(database, local, "SELECT * FROM left_side", "left_side")
    wait_mirrored(database, local, "SELECT * FROM right_side", "right_side")
    check_journal(local)


def test_two_mappings_of_one_table(project, database, local, run_puffgres):
    database.execute(PEOPLE)
    project.migration("everyone", "people", columns=["id", "name"])
    project.migration("active", "people", columns=["id", "name", "age"], number=2)
    text = (project.folder / "puffgres/migrations/002_active.toml").read_text()
    project.write("puffgres/migrations/002_active.toml",
                  text.replace("[mapping]\n", "[mapping]\nmembership = \"active AND age != 13\"\n"))
    project.ok("migrate")
    run_puffgres().wait_log("streaming")
    database.execute("INSERT INTO people SELECT i, 'n', i, i % 2 = 0 FROM generate_series(1, 40) i")
    database.execute("UPDATE people SET active = NOT active WHERE id <= 10")
    database.execute("UPDATE people SET age = 13 WHERE id = 20")
    database.execute("DELETE FROM people WHERE id = 22")
    wait_mirrored(database, local, "SELECT id, name FROM people", "everyone")
    wait_mirrored(database, local, "SELECT id, name, age FROM people WHERE active AND age <> 13", "active")


def test_odd_identifiers(project, database, local, run_puffgres, postgres_version):
    database.execute('CREATE SCHEMA "Odd ""schema"""; CREATE TABLE "Odd ""schema"""."Table; drop" '
                     '("Primary Key" text PRIMARY KEY, "sel ect" int, "Käse" text)')
    project.write("puffgres/migrations/001_odd.toml", r"""
[migration]
name = "odd"
version = 1
[source]
schema = 'Odd "schema"'
table = "Table; drop"
[mapping]
id = "Primary Key"
columns = ["Primary Key", "sel ect", "Käse"]
membership = '"sel ect" != 3'
[target]
namespace = "odd"
""")
    project.ok("check")
    project.ok("migrate")
    run_puffgres().wait_log("streaming")
    table = '"Odd ""schema"""."Table; drop"'
    database.execute(f"INSERT INTO {table} VALUES ('a''b', 1, 'Brie'), ('x\"y', 2, NULL), ('hidden', 3, 'no')")
    wait_mirrored(database, local, f'SELECT * FROM {table} WHERE "sel ect" <> 3', "odd", key="Primary Key")


def test_partitions_come_through_their_root(project, database, local, run_puffgres, postgres_version):
    database.execute("""
        CREATE TABLE events (id bigint, day date, note text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
        CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
        CREATE UNIQUE INDEX ON events_1 (id); CREATE UNIQUE INDEX ON events_2 (id)""")
    database.execute("CREATE TABLE plain (id bigint, note text, PRIMARY KEY (id)) PARTITION BY HASH (id)")
    for i in range(3):
        database.execute(f"CREATE TABLE plain_{i} PARTITION OF plain FOR VALUES WITH (MODULUS 3, REMAINDER {i})")
    project.migration("plain", "plain", columns=["id", "note"])
    project.ok("migrate")
    run_puffgres().wait_log("streaming")
    database.execute("INSERT INTO plain SELECT i, 'p' FROM generate_series(1, 100) i")
    database.execute("UPDATE plain SET id = id + 1000 WHERE id <= 20")  # moves rows between partitions
    database.execute("DELETE FROM plain WHERE id BETWEEN 30 AND 40")
    wait_mirrored(database, local, "SELECT * FROM plain", "plain")
    database.execute("TRUNCATE plain")
    database.execute("INSERT INTO plain VALUES (7, 'again')")
    wait_mirrored(database, local, "SELECT * FROM plain", "plain")


# ---- TOAST ----

BIG = "(SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 300) WHERE {salt} IS NOT NULL)"


@pytest.fixture
def articles(project, database, run_puffgres, local):
    database.execute("CREATE TABLE articles (id bigint PRIMARY KEY, title text, body text)")
    database.execute("ALTER TABLE articles ALTER body SET STORAGE EXTERNAL")
    project.migration("articles", "articles", columns=["id", "title", "body"],
                      more='[target.schema]\nbody = { type = "string", filterable = false }\n')
    project.ok("migrate")
    return lambda: wait_mirrored(database, local, "SELECT * FROM articles", "articles")


def test_defect_p1_07_unchanged_toast_is_read_back(articles, database, run_puffgres, postgres_version):
    run_puffgres().wait_log("streaming")
    database.execute(f"INSERT INTO articles SELECT i, 'title', {BIG.format(salt='i')} FROM generate_series(1, 20) i")
    articles()
    database.execute("UPDATE articles SET title = 'new title' WHERE id <= 10")
    want = articles()
    assert all(len(row["body"]) == 9600 for row in want.values())


def test_defect_p2_03_the_old_image_of_full_identity_supplies_toast(articles, database, run_puffgres):
    database.execute("ALTER TABLE articles REPLICA IDENTITY FULL")
    run_puffgres().wait_log("streaming")
    database.execute(f"INSERT INTO articles SELECT i, 't', {BIG.format(salt='i')} FROM generate_series(1, 5) i")
    database.execute("UPDATE articles SET title = 'other' WHERE id = 3")
    articles()


def test_rule_04_a_row_deleted_before_its_read_back_is_deleted(articles, database, project, run_puffgres, local):
    run = run_puffgres()
    run.wait_log("streaming")
    database.execute(f"INSERT INTO articles SELECT i, 't', {BIG.format(salt='i')} FROM generate_series(1, 5) i")
    articles()
    run.stop()
    database.execute("UPDATE articles SET title = 'x' WHERE id = 2")
    database.execute("UPDATE articles SET title = 'y' WHERE id = 3")
    database.execute("DELETE FROM articles WHERE id = 2")
    database.execute("UPDATE articles SET title = 'z' WHERE id = 3")
    run_puffgres().wait_log("streaming")
    articles()
    check_journal(local)


def test_rule_15_two_keys_are_swapped_under_a_deferrable_index(project, database, local, run_puffgres):
    database.execute("CREATE TABLE seats (id bigint NOT NULL, who text, UNIQUE (id) DEFERRABLE INITIALLY DEFERRED)")
    database.execute("ALTER TABLE seats REPLICA IDENTITY FULL")
    project.migration("seats", "seats", columns=["id", "who"])
    project.ok("migrate")
    run_puffgres().wait_log("streaming")
    database.execute("INSERT INTO seats VALUES (1, 'ann'), (2, 'bob'), (3, 'cid')")
    wait_mirrored(database, local, "SELECT * FROM seats", "seats")
    with database.connect(autocommit=False) as connection:
        connection.execute("UPDATE seats SET id = 2 WHERE who = 'ann'")
        connection.execute("UPDATE seats SET id = 1 WHERE who = 'bob'")
        connection.commit()
    assert wait_mirrored(database, local, "SELECT * FROM seats", "seats") == {
        1: {"who": "bob"}, 2: {"who": "ann"}, 3: {"who": "cid"}}


def test_rule_04_visibility_is_awaited_behind_a_synchronous_standby(start_postgres, tmp_path, local, closing):
    """The walsender sends a commit that waits for a standby which never comes: a read-back must wait with it."""
    from harness.puffgres import Project
    server = start_postgres(settings={"synchronous_standby_names": ""})
    database = server.create_database()
    database.execute("CREATE TABLE articles (id bigint PRIMARY KEY, title text, body text)")
    database.execute("ALTER TABLE articles ALTER body SET STORAGE EXTERNAL")
    database.execute(f"INSERT INTO articles SELECT 1, 'old', {BIG.format(salt='1')}")
    folder = tmp_path / "p"
    folder.mkdir()
    project = Project(folder, database, local)
    project.migration("articles", "articles", columns=["id", "title", "body"],
                      more='[target.schema]\nbody = { type = "string", filterable = false }\n')
    project.ok("migrate")
    run = closing(project.start())
    run.wait_log("streaming")
    server.configure(synchronous_standby_names="nobody")
    server.reload()
    connection = database.connect()
    import threading
    update = threading.Thread(target=connection.execute, args=("UPDATE articles SET title = 'new'",))
    update.start()
    import time
    time.sleep(2)
    assert documents(local, "articles") == {}, "sent a row that nobody can see yet"
    server.configure(synchronous_standby_names="")
    server.reload()
    update.join(20)
    want = wait_mirrored(database, local, "SELECT * FROM articles", "articles")
    assert want[1]["title"] == "new"
    connection.close()


def test_rule_26_a_dropped_column_stops_one_mapping_and_not_the_others(project, database, local, run_puffgres):
    for number, name in enumerate(("first", "second"), 1):
        database.execute(f"CREATE TABLE {name} (id bigint PRIMARY KEY, a text, b text)")
        project.migration(name, name, columns=["id", "a", "b"], number=number)
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")
    database.execute("INSERT INTO first VALUES (1, 'a', 'b'); INSERT INTO second VALUES (1, 'a', 'b')")
    wait_mirrored(database, local, "SELECT * FROM first", "first")
    database.execute("ALTER TABLE first DROP COLUMN b; ALTER TABLE second ADD COLUMN c int DEFAULT 7")
    database.execute("INSERT INTO first VALUES (2, 'a'); INSERT INTO second VALUES (2, 'a', 'b')")
    run.wait_log("mapping stopped")
    wait_mirrored(database, local, "SELECT id, a, b FROM second", "second")
    assert set(documents(local, "first")) == {1}
    wait_until(lambda: re.search(r"first .*dropped or renamed", project.ok("status")), 15, "status names the mapping")
    assert run.stop() == 0
