"""A workload that never stands still: inserts, updates, deletes, key changes, truncates, aborts and savepoints,
from several sessions at once. Bounded by its time and its rate; seeded."""
import random
import threading
import time

import psycopg

TABLE = """
CREATE TABLE accounts (id bigint PRIMARY KEY, owner text, balance bigint, vip boolean, letter text);
ALTER TABLE accounts ALTER letter SET STORAGE EXTERNAL;
"""
COLUMNS = ["id", "owner", "balance", "vip", "letter"]
QUERY = "SELECT * FROM accounts"

ABORTED = 1_000_000_000  # ids from here on are only ever written by transactions that abort
IDS = 300
LONG = "repeat(md5(random()::text), 100)"


class Workload:
    """Start with `with`; leaving it ends every session. `changes` counts committed statements."""

    def __init__(self, database, *, sessions=2, seed=1, pause=0.004, truncate=True):
        self.database, self.pause, self.truncate = database, pause, truncate
        self.stopping = threading.Event()
        self.changes = 0
        self.failure = None
        self.threads = [threading.Thread(target=self._session, args=(random.Random(seed * 1000 + n),), daemon=True)
                        for n in range(sessions)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)
        if self.failure:
            raise self.failure

    # ---- statements ----

    def _statement(self, connection, rng):
        one = rng.randrange(IDS)
        kind = rng.choices(("upsert", "update", "touch", "delete", "rekey", "range"), (30, 25, 15, 12, 8, 4))[0]
        if kind == "upsert":
            connection.execute(
                f"INSERT INTO accounts VALUES (%s, %s, %s, %s, {LONG}) ON CONFLICT (id) DO UPDATE"
                " SET owner = excluded.owner, balance = excluded.balance, vip = excluded.vip, letter = excluded.letter",
                (one, f"owner {rng.randrange(1000)}", rng.randrange(10**6), rng.random() < 0.5))
        elif kind == "update":
            connection.execute("UPDATE accounts SET balance = balance + 1, owner = NULLIF(owner, 'owner 7') WHERE id = %s",
                               (one,))
        elif kind == "touch":  # leaves the letter in its TOAST table
            connection.execute("UPDATE accounts SET vip = NOT vip WHERE id = %s", (one,))
        elif kind == "delete":
            connection.execute("DELETE FROM accounts WHERE id = %s", (one,))
        elif kind == "rekey":
            connection.execute("UPDATE accounts SET id = %s WHERE id = %s AND NOT EXISTS"
                               " (SELECT FROM accounts WHERE id = %s)", (one + IDS, one, one + IDS))
        elif kind == "range":
            connection.execute("DELETE FROM accounts WHERE id BETWEEN %s AND %s", (one, one + 10))

    def _transaction(self, connection, rng):
        statements = rng.choice((1, 1, 2, 5, 40))
        with connection.transaction():
            for _ in range(statements):
                self._statement(connection, rng)
            if self.truncate and rng.random() < 0.005:
                connection.execute("TRUNCATE accounts")
                self._statement(connection, rng)
            if rng.random() < 0.1:
                try:
                    with connection.transaction():
                        connection.execute("INSERT INTO accounts VALUES (%s, 'aborted in a savepoint')",
                                           (ABORTED + rng.randrange(IDS),))
                        raise psycopg.Rollback()
                except psycopg.Rollback:
                    pass
            if rng.random() < 0.1:
                connection.execute("INSERT INTO accounts VALUES (%s, 'aborted')", (ABORTED + rng.randrange(IDS),))
                raise psycopg.Rollback()
        self.changes += statements

    def _session(self, rng):
        try:
            with self.database.connect() as connection:
                connection.execute("SET lock_timeout = '2s'; SET deadlock_timeout = '100ms'")
                while not self.stopping.is_set():
                    try:
                        self._transaction(connection, rng)
                    except (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable,
                            psycopg.errors.UniqueViolation):
                        pass
                    time.sleep(self.pause)
        except Exception as failure:  # told by __exit__, on the test's thread
            self.failure = failure
