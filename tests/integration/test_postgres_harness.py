"""The harness itself: every server it finds starts, decodes with pgoutput, stops in every way and leaves nothing."""
import os

import psycopg
import pytest

from harness.postgres import PASSWORD, Postgres, lsn_number, servers


def test_servers_of_ci_are_there():
    assert {13, 15, 18} <= set(servers())


def test_a_slot_decodes_with_pgoutput(postgres_version, database):
    database.execute("CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE t")
    database.execute("SELECT pg_create_logical_replication_slot('harness', 'pgoutput')")
    database.execute("INSERT INTO t VALUES (1)")
    rows = database.execute(
        "SELECT data FROM pg_logical_slot_get_binary_changes('harness', NULL, NULL,"
        " 'proto_version', '1', 'publication_names', 'p')")
    assert [row[0][:1] for row in rows] == [b"B", b"R", b"I", b"C"]
    assert database.server.slot("harness")["plugin"] == "pgoutput"
    assert database.value("SHOW server_version_num")[:2] == str(postgres_version)


@pytest.mark.parametrize("mode", ["smart", "fast", "immediate"])
def test_committed_rows_survive_a_restart(start_postgres, mode):
    server = start_postgres()
    server.admin.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (7)")
    before = server.lsn()
    server.restart(mode)
    assert server.admin.value("SELECT id FROM t") == 7
    assert server.lsn() >= before


def test_settings_change_with_a_reload(start_postgres):
    server = start_postgres(settings={"wal_sender_timeout": "3s"})
    assert server.admin.value("SHOW wal_sender_timeout") == "3s"
    server.configure(wal_sender_timeout="4s")
    server.restart()
    assert server.admin.value("SHOW wal_sender_timeout") == "4s"


def test_the_port_wants_the_password(database):
    with psycopg.connect(database.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(database.url(password="wrong"))


def test_tls_is_verified_and_required(start_postgres):
    server = start_postgres(tls=True)
    url = server.admin.url(sslmode="verify-full", sslrootcert=str(server.root_cert))
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone() == (True,)
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(server.admin.url(sslmode="disable"))


def test_nothing_is_left_after_close():
    server = Postgres()
    with server:
        pid, folder = server.process.pid, server.folder
        assert PASSWORD in server.admin.url().replace("%20", " ")
    assert not os.path.exists(f"/proc/{pid}") and not folder.exists()


def test_lsn_number():
    assert lsn_number("16/B374D848") == 0x16B374D848
