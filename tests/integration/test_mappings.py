"""Mappings over time: added later, left behind, moved on; tables that change while they are read (SEMANTICS 12 to 14,
26 and 28)."""
import json
import re
import time

import pytest

from harness.mirror import check_journal, documents, wait_mirrored
from harness.postgres import lsn_number
from harness.waiting import wait_until

PEOPLE = "CREATE TABLE people (id bigint PRIMARY KEY, name text, age int)"
QUERY = "SELECT * FROM people"


@pytest.fixture
def people(project, database):
    database.execute(PEOPLE)
    project.migration("people", "people", columns=["id", "name", "age"])
    project.ok("migrate")
    return database


@pytest.fixture
def streaming(project, run_puffgres):
    def start(*args):
        run = run_puffgres(*args)
        run.wait_log("streaming")
        return run
    return start


def mapping_status(project, name):
    return next(one for one in json.loads(project.ok("status", "--json"))["mappings"] if one["name"] == name)


def published(database):
    return {name for name, in database.execute("SELECT tablename FROM pg_publication_tables WHERE pubname = 'puffgres'")}


def next_version(project, path, *changes, number):
    """Migration `path` as its next version, with changes (old, new)."""
    text = (project.folder / "puffgres/migrations" / path).read_text().replace("version = 1", "version = 2")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    name = path.split("_", 1)[1]
    project.write(f"puffgres/migrations/{number:03}_{name}", text)


# ---- starting ----

def test_rule_12_a_first_start_names_the_transaction_that_it_waits_for(people, project, local, run_puffgres):
    with people.connect(autocommit=False) as writer:
        writer.execute("CREATE TEMP TABLE keeps_an_xid AS SELECT pg_current_xact_id()")
        pid = writer.info.backend_pid
        run = run_puffgres()
        run.wait_log(rf"\b{pid}\b")
        assert "streaming" not in run.log_text()
        writer.commit()
    run.wait_log("streaming")
    people.execute("INSERT INTO people VALUES (1, 'a', 1)")
    wait_mirrored(people, local, QUERY, "people")
    assert run.stop() == 0


def test_rule_12_a_mapping_that_is_added_later_starts_where_its_table_is_published(
        people, project, local, streaming, postgres_version):
    run = streaming()
    people.execute("INSERT INTO people VALUES (1, 'a', 1)")
    wait_mirrored(people, local, QUERY, "people")
    assert run.stop() == 0 and published(people) == {"people"}
    people.execute("CREATE TABLE pets (id bigint PRIMARY KEY, name text)")
    people.execute("INSERT INTO pets VALUES (1, 'older than the mapping')")
    people.execute("INSERT INTO people VALUES (2, 'while nobody ran', 2)")
    project.migration("pets", "pets", columns=["id", "name"], number=2)
    project.ok("check")
    project.ok("migrate")
    run = streaming()
    assert re.search(r"rows older.*mapping=pets", run.log_text()), "nobody is told that older rows are missing"
    assert published(people) == {"people", "pets"}
    with people.connect(autocommit=False) as connection:
        connection.execute("INSERT INTO pets VALUES (2, 'new')")
        connection.execute("INSERT INTO people VALUES (3, 'c', 3)")
        connection.commit()
    wait_mirrored(people, local, QUERY, "people")
    wait_mirrored(people, local, "SELECT * FROM pets WHERE id > 1", "pets")
    assert run.stop() == 0
    assert not mapping_status(project, "pets")["backfilled"]


def test_rule_13_what_would_break_the_users_update_is_refused_before_it_is_published(people, project, streaming):
    """A published table without replica identity refuses every UPDATE of its owner."""
    run = streaming()
    assert run.stop() == 0
    people.execute("CREATE TABLE bare (id bigint NOT NULL, name text); INSERT INTO bare VALUES (1, 'a')")
    project.migration("bare", "bare", columns=["id", "name"], number=2)
    done = project.command("migrate")
    if done.returncode == 0:
        done = project.command("run", timeout=20)
    assert done.returncode == 78 and "REPLICA IDENTITY" in done.stdout + done.stderr, done
    assert published(people) == {"people"}
    people.execute("UPDATE bare SET name = 'b'")


def test_rule_13_a_table_that_left_the_publication_for_a_while_is_marked(people, project, local, streaming):
    run = streaming()
    people.execute("INSERT INTO people VALUES (1, 'a', 1)")
    wait_mirrored(people, local, QUERY, "people")
    assert run.stop() == 0 and not mapping_status(project, "people")["reason"]
    people.execute("ALTER PUBLICATION puffgres DROP TABLE people")
    people.execute("INSERT INTO people VALUES (2, 'nobody hears this', 2)")
    people.execute("ALTER PUBLICATION puffgres ADD TABLE people")
    run = streaming()
    people.execute("INSERT INTO people VALUES (3, 'c', 3)")
    wait_until(lambda: 3 in documents(local, "people"), 10)
    assert "re-read needed" in project.ok("status")
    assert run.stop() == 0


@pytest.mark.parametrize("made_again", [False, True])
def test_rule_11_a_publication_that_is_gone_is_a_gap(people, project, streaming, made_again):
    """Changes are read with the publication as it was then; one that is made later does not help."""
    run = streaming()
    people.execute("INSERT INTO people VALUES (1, 'a', 1)")
    assert run.stop() == 0
    people.execute("DROP PUBLICATION puffgres; INSERT INTO people VALUES (2, 'in between', 2)")
    if made_again:
        people.execute("CREATE PUBLICATION puffgres FOR TABLE people")
    place = lsn_number(people.server.slot("puffgres")["confirmed_flush_lsn"])
    done = project.command("run", timeout=30)
    assert done.returncode == 78 and "publication" in done.stderr and "puffgres" in done.stderr, done.stderr
    assert lsn_number(people.server.slot("puffgres")["confirmed_flush_lsn"]) == place


def test_rule_28_the_sql_that_check_prints_mends_the_table(project, database, postgres_version):
    database.execute("""
        CREATE TABLE nullable (id bigint UNIQUE, name text);
        CREATE TABLE repeated (id bigint NOT NULL, name text);
        CREATE TABLE silent (id bigint PRIMARY KEY, name text);
        ALTER TABLE silent REPLICA IDENTITY NOTHING""")
    for number, name in enumerate(("nullable", "repeated", "silent"), 1):
        project.migration(name, name, columns=["id", "name"], number=number)
    statements = []
    for _ in range(6):  # one remedy may uncover the next fault
        done = project.command("check")
        if done.returncode == 0:
            break
        assert done.returncode == 78
        found = re.findall(r"^\s*((?:ALTER|CREATE) [^\n]*?;?)\s*$", done.stdout + done.stderr, re.M)
        assert found, f"no SQL in\n{done.stdout}{done.stderr}"
        statements += found
        for statement in dict.fromkeys(found):
            if "(...)" not in statement:  # where only its owner knows the key, the line below it is the other way
                database.execute(statement)
    assert done.returncode == 0, f"{statements}\n{done.stdout}{done.stderr}"
    project.ok("migrate")


# ---- positions of several mappings ----

@pytest.mark.parametrize("end", ["stop", "kill"])
def test_defect_p1_04_each_mapping_starts_at_its_own_place(project, database, local, streaming, end):
    """`second` stops at a change of its table and is mended by a new version; what came meanwhile is not lost,
    and what `first` has is not sent again."""
    for number, name in enumerate(("first", "second"), 1):
        database.execute(f"CREATE TABLE {name} (id bigint PRIMARY KEY, a text, b text)")
        project.migration(name, name, columns=["id", "a", "b"], number=number)
    project.ok("migrate")
    run = streaming()
    database.execute("INSERT INTO first VALUES (1, 'a', 'b'); INSERT INTO second VALUES (1, 'a', 'b')")
    wait_mirrored(database, local, "SELECT * FROM second", "second")
    database.execute("ALTER TABLE second DROP COLUMN b")
    database.execute("INSERT INTO second VALUES (2, 'not yet')")
    run.wait_log("mapping stopped")
    time.sleep(0.5)  # the checkpoint at the stop is saved: what follows moves no floor of the whole flow
    database.execute("INSERT INTO first SELECT i, 'a', 'b' FROM generate_series(2, 50) i; INSERT INTO second VALUES (3, 'nor this')")
    wait_mirrored(database, local, "SELECT * FROM first", "first")
    wait_until(lambda: (json.loads(project.ok("status", "--json"))["held_by"] or {}).get("mapping") == "second", 10)
    time.sleep(0.5)  # a checkpoint is saved every 0.2 s
    assert getattr(run, end)() in (0, -9)
    assert lsn_number(mapping_status(project, "second")["checkpoint"]) < lsn_number(
        mapping_status(project, "first")["checkpoint"])
    seen = len(local.journal()["entries"])
    next_version(project, "002_second.toml", ('"a", "b"', '"a"'), number=3)
    project.ok("migrate")
    run = streaming()
    wait_until(lambda: set(documents(local, "second")) == {1, 2, 3}, 15, "the rows of the pause arrive")
    assert not [entry for entry in local.journal()["entries"][seen:] if entry["namespace"] == "first"], \
        "rows below the mapping's checkpoint were sent again"
    wait_until(lambda: json.loads(project.ok("status", "--json"))["held_by"] is None, 5, "nothing holds the slot")
    assert run.stop() == 0


# ---- tables that change in mid-stream ----

def test_defect_p2_08_defect_p2_09_alter_table_inside_a_transaction_goes_through(
        people, project, local, streaming, postgres_version):
    run = streaming()
    with people.connect(autocommit=False) as connection:
        connection.execute("INSERT INTO people VALUES (1, 'before', 1)")
        connection.execute("ALTER TABLE people ADD COLUMN extra text DEFAULT 'x'")
        connection.execute("INSERT INTO people VALUES (2, 'between', 2)")
        connection.execute("ALTER TABLE people ALTER COLUMN name TYPE varchar(100)")
        connection.execute("ALTER TABLE people DROP COLUMN extra")
        connection.execute("UPDATE people SET age = 7 WHERE id = 1")
        connection.commit()
    people.execute("INSERT INTO people VALUES (3, 'after', 3)")
    wait_mirrored(people, local, QUERY, "people")
    assert run.log_text().count("msg=streaming") == 1, "the stream was taken up again"
    check_journal(local)
    assert run.stop() == 0


def test_rule_26_repeated_relation_messages_are_no_change(people, project, local, streaming):
    run = streaming()
    people.execute("CREATE ROLE rule26")
    try:
        for sql in ("ANALYZE people", "CREATE INDEX ON people (name)", "GRANT SELECT ON people TO rule26",
                    "ALTER TABLE people ADD COLUMN unmapped int DEFAULT 5", "ALTER TABLE people DROP COLUMN unmapped"):
            people.execute(f"{sql}; INSERT INTO people SELECT coalesce(max(id), 0) + 1, 'n', 1 FROM people")
        wait_mirrored(people, local, QUERY, "people")
        assert "stopped" not in run.log_text() and "re-read" not in project.ok("status")
        assert run.stop() == 0
    finally:
        people.execute("DROP OWNED BY rule26; DROP ROLE rule26")


@pytest.mark.parametrize("sql, says", [
    ("ALTER TABLE people RENAME COLUMN age TO years", "age"),
    ("ALTER TABLE people ALTER COLUMN age TYPE text", "age"),
    ("ALTER TABLE people RENAME TO folk", "folk"),
])
def test_rule_26_a_change_that_a_mapping_cannot_follow_stops_it(people, project, local, streaming, sql, says):
    run = streaming()
    people.execute("INSERT INTO people VALUES (1, 'a', 1)")
    wait_mirrored(people, local, QUERY, "people")
    people.execute(sql)
    table = "folk" if "folk" in sql else "people"
    people.execute(f"INSERT INTO {table} VALUES (2, 'b', 2)")
    if table == "folk":  # the oid is the same table: nothing of it may be lost either way
        wait_until(lambda: 2 in documents(local, "people") or "stopped" in run.log_text(), 10)
    else:
        run.wait_log("mapping stopped")
        assert 2 not in documents(local, "people")
        wait_until(lambda: says in (mapping_status(project, "people")["reason"] or ""), 10, "status says why")
        assert json.loads(project.ok("status", "--json"))["held_by"]["mapping"] == "people"
    assert run.stop() == 0


@pytest.mark.parametrize("sql", [
    "ALTER TABLE people ALTER COLUMN age TYPE bigint USING age * 2",
    "ALTER TABLE people ALTER COLUMN name TYPE varchar(20) USING upper(name)",
])
def test_rule_26_a_rewriting_alter_marks_the_mapping(people, project, local, streaming, sql):
    run = streaming()
    people.execute("INSERT INTO people VALUES (1, 'a', 1)")
    wait_mirrored(people, local, QUERY, "people")
    people.execute(sql)
    people.execute("INSERT INTO people VALUES (2, 'b', 2)")
    wait_until(lambda: 2 in documents(local, "people"), 10, "the stream goes on")
    wait_until(lambda: "re-read needed" in project.ok("status"), 10, "rows changed without events: status says so")
    assert run.stop() == 0


def test_rule_14_generated_columns_on_every_version(project, database, local, streaming, postgres_version):
    database.execute("CREATE TABLE sums (id bigint PRIMARY KEY, a int, b int, total int GENERATED ALWAYS AS (a + b) STORED)")
    project.migration("sums", "sums", columns=["id", "a", "total"])
    if postgres_version < 18:  # which does not send them: refused, with what mends it
        done = project.command("check")
        remedy = re.search(r"^\s*(ALTER TABLE .*DROP EXPRESSION;)$", done.stdout + done.stderr, re.M)
        assert done.returncode == 78 and remedy, done
        refusal = project.command("migrate")
        assert refusal.returncode == 78 and "total" in refusal.stdout + refusal.stderr
        database.execute(remedy[1])
        project.ok("check")
        return
    project.ok("check")
    project.ok("migrate")
    run = streaming()
    database.execute("INSERT INTO sums SELECT i, i, 10 FROM generate_series(1, 30) i")
    database.execute("UPDATE sums SET b = 20 WHERE id <= 10")
    wait_mirrored(database, local, "SELECT id, a, total FROM sums", "sums")
    assert run.stop() == 0


def test_defect_p1_05_defect_p2_04_rows_enter_stay_and_leave_as_sql_says(
        project, database, local, streaming, postgres_version):
    """Three-valued logic and booleans: the same condition, asked of Postgres."""
    condition = "NOT archived AND NOT (stock = 0) AND (name <> 'it''s' OR name IS NULL)"
    database.execute("CREATE TABLE goods (id bigint PRIMARY KEY, name text, stock int, archived boolean)")
    project.migration("goods", "goods", columns=["id", "name"])
    path = project.folder / "puffgres/migrations/001_goods.toml"
    path.write_text(path.read_text().replace("[mapping]\n", f'[mapping]\nmembership = "{condition}"\n'))
    project.ok("migrate")
    run = streaming()
    values = [(name, stock, archived) for name in ("a", "it's", None) for stock in (0, 3, None)
              for archived in (True, False, None)]
    with database.connect() as connection:
        for i, row in enumerate(values):
            connection.execute("INSERT INTO goods VALUES (%s, %s, %s, %s)", (i, *row))
        for i in range(len(values)):
            connection.execute("UPDATE goods SET name = %s, stock = %s, archived = %s WHERE id = %s",
                               (*values[(i * 7 + 5) % len(values)], i))
    wait_mirrored(database, local, f"SELECT id, name FROM goods WHERE {condition}", "goods")
    check_journal(local)
    assert run.stop() == 0
