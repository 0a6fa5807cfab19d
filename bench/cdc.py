"""How fast changes come over, as a ratio to a client that throws them away.

One server, one table, the same rows in every slot: pg_recvlogical, the bare drain client, puffgres into `null`
and into turbopuffer-local each read the same WAL from the same position, one after the other in turns.
Printed per reader: rows/s, CPU seconds of the reader and of its walsender per million rows, peak memory, and the
ratio of rows/s to the drain client of the same round.

    bench/run [--rows N] [--rounds N] [--socket]     --socket: over the Unix socket, not loopback TCP"""
import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import tempfile
import time

from harness.local import Local
from harness.paths import BUILD, program
from harness.postgres import ADMIN, Postgres, lsn_number
from harness.puffgres import Project
from harness.waiting import wait_until

TICKS = os.sysconf("SC_CLK_TCK")
OPTIONS = "proto_version '1', publication_names 'bench'"

TABLE = """
CREATE TABLE orders (
    id bigint PRIMARY KEY, customer int NOT NULL, amount numeric(12,2) NOT NULL, placed_at timestamptz NOT NULL,
    token uuid NOT NULL, paid boolean NOT NULL, weight double precision, note text, tags text, details jsonb);
CREATE PUBLICATION bench FOR TABLE orders;
CREATE PROCEDURE load(first bigint, total bigint, per_commit int) LANGUAGE plpgsql AS $$
DECLARE at bigint := first;
BEGIN
    WHILE at < first + total LOOP
        INSERT INTO orders SELECT i, i % 10007, (i % 100000) / 100.0, now(), md5(i::text)::uuid, i % 3 = 0, i / 7.0,
            'order number ' || i, 'red,green,blue', jsonb_build_object('sku', 'A-' || i % 999, 'qty', i % 9)
        FROM generate_series(at, at + per_commit - 1) i;
        COMMIT;
        at := at + per_commit;
    END LOOP;
END $$;
"""

COLUMNS = ["id", "customer", "amount", "placed_at", "token", "paid", "weight", "note", "tags", "details"]


def cpu_seconds(pid):
    """User and system time of a process that still runs."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_kb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError(f"no VmHWM of process {pid}")


class Bench:
    def __init__(self, server, local, folder, rows, socket):
        self.server, self.local, self.folder, self.rows, self.socket = server, local, folder, rows, socket
        self.database = server.create_database("bench")
        self.database.execute(TABLE)
        self.connection = server.admin.connect()

    def conninfo(self):
        if self.socket:
            return f"postgresql://{ADMIN}@/bench?host={self.server.folder}&port={self.server.port}"
        return self.database.url()

    def walsender(self, slot):
        """(pid, CPU seconds) of the slot's walsender."""
        pid = wait_until(lambda: self.server.slot(slot)["active_pid"], 60, f"slot {slot} is read", interval=0.002)
        return pid, cpu_seconds(pid)

    def load(self, slots):
        for slot in slots:
            self.server.admin.execute("SELECT 1")
            self.database.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,))
        start = self.server.admin.value("SELECT pg_current_wal_lsn()::text")
        self.database.execute(f"CALL load(1, {self.rows}, 100)")
        end = self.server.admin.value("SELECT pg_current_wal_lsn()::text")
        self.database.execute("CHECKPOINT")
        return start, end

    # ---- the readers; each returns {seconds, cpu, walsender_cpu, peak_kb} ----

    def watch(self, argv, slot, done, env=None, cwd=None, stdout=subprocess.DEVNULL):
        """Run a reader until done(); times run from the moment its walsender is there."""
        child = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=stdout,
                                 stderr=open(self.folder / f"{slot}.log", "wb"))
        try:
            walsender, before = self.walsender(slot)
            begin = time.monotonic()
            peak = 0
            while not done(child):
                if child.poll() not in (None, 0):
                    raise RuntimeError((self.folder / f"{slot}.log").read_text()[-2000:])
                if time.monotonic() - begin > 600:
                    raise RuntimeError(f"{argv[0]} did not finish in 600 s")
                peak = max(peak, peak_kb(child.pid))
                sent = cpu_seconds(walsender)
                time.sleep(0.02)
            return {"seconds": time.monotonic() - begin, "cpu": cpu_seconds(child.pid), "walsender_cpu": sent - before,
                    "peak_kb": peak}
        finally:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
            child.wait(30)

    def flushed(self, slot, end):
        """Everything up to `end` is acknowledged: durable and checkpointed, for puffgres."""
        goal = lsn_number(end)
        query = "SELECT confirmed_flush_lsn - '0/0'::pg_lsn FROM pg_replication_slots WHERE slot_name = %s"
        return lambda _: self.connection.execute(query, (slot,)).fetchone()[0] >= goal

    def drain(self, slot, start, end):
        conninfo = self.conninfo() + ("&" if "?" in self.conninfo() else "?") + "replication=database"
        argv = [str(BUILD / "bench/drain"), conninfo, slot, OPTIONS, end]
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        pid, walsender_before = self.walsender(slot)
        sent = walsender_before
        while child.poll() is None:
            try:
                sent = cpu_seconds(pid)
            except FileNotFoundError:
                break
            time.sleep(0.01)
        figures = json.loads(child.communicate(timeout=600)[0])
        assert figures["rows"] == self.rows, figures
        return {"seconds": figures["seconds"], "cpu": figures["cpu"], "walsender_cpu": sent - walsender_before,
                "peak_kb": figures["peak_kb"]}

    def pg_recvlogical(self, slot, start, end):
        argv = [str(self.server.bin / "pg_recvlogical"), "-d", self.conninfo(), "-S", slot, "--start", "-f", "/dev/null",
                "--endpos", end, "-o", "proto_version=1", "-o", "publication_names=bench", "-s", "1", "-F", "0"]
        begin = time.monotonic()
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
        pid, before = self.walsender(slot)
        sent, cpu, peak = before, 0.0, 0
        while child.poll() is None:
            try:
                sent, cpu, peak = cpu_seconds(pid), cpu_seconds(child.pid), max(peak, peak_kb(child.pid))
            except (FileNotFoundError, RuntimeError):
                pass
            time.sleep(0.01)
        assert child.returncode == 0, "pg_recvlogical failed"
        return {"seconds": time.monotonic() - begin, "cpu": cpu, "walsender_cpu": sent - before, "peak_kb": peak}

    def puffgres(self, slot, start, end, destination):
        folder = self.folder / slot
        folder.mkdir()
        project = Project(folder, self.database, self.local)
        project.env["DATABASE_URL"] = self.conninfo()
        project.migration("orders", "orders", columns=COLUMNS, namespace=slot,
                          more=f'destination = "{destination}"\n[target.schema]\nnote = {{ type = "string", filterable = false }}\n')
        config = (folder / "puffgres.toml").read_text().replace(
            "[turbopuffer]", f'slot = "{slot}"\npublication = "bench"\n\n[turbopuffer]')
        project.write("puffgres.toml", config)
        project.ok("migrate")
        argv = [program("puffgres"), "run", "--from-lsn", start]
        return self.watch(argv, slot, self.flushed(slot, end), env=project.environment(), cwd=folder)

    def null(self, slot, start, end):
        return self.puffgres(slot, start, end, "null")

    def turbopuffer_local(self, slot, start, end):
        return self.puffgres(slot, start, end, "turbopuffer")


READERS = ("drain", "pg_recvlogical", "null", "turbopuffer_local")


def row(name, rows, figures, drain):
    rate = [rows / f["seconds"] for f in figures]
    ratio = [d["seconds"] / f["seconds"] for f, d in zip(figures, drain)]
    million = rows / 1e6

    def median(key):
        return statistics.median(f[key] for f in figures)
    return (f"{name:18} {statistics.median(rate):>10,.0f} {min(ratio):>7.2f} {statistics.median(ratio):>7.2f} "
            f"{max(ratio):>7.2f} {median('cpu') / million:>10.2f} {median('walsender_cpu') / million:>10.2f} "
            f"{median('peak_kb') / 1024:>9.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--socket", action="store_true")
    parser.add_argument("--only", help="one reader beside drain")
    options = parser.parse_args()
    readers = [r for r in READERS if r == "drain" or options.only in (None, r)]

    settings = {"max_wal_size": "8GB", "shared_buffers": "256MB", "synchronous_commit": "off"}
    with tempfile.TemporaryDirectory(prefix="wallaby-bench-") as name, \
            Postgres(settings=settings) as server, Local(pathlib.Path(name)) as local:
        os.chmod(name, 0o755)
        bench = Bench(server, local, pathlib.Path(name), options.rows, options.socket)
        rounds = range(options.rounds)
        start, end = bench.load([f"{reader}_{i}" for i in rounds for reader in readers])
        figures = {reader: [] for reader in readers}
        for i in rounds:
            for reader in readers:
                figures[reader].append(getattr(bench, reader)(f"{reader}_{i}", start, end))
        print(f"{options.rows:,} rows, 100 a transaction, {'Unix socket' if options.socket else 'loopback TCP'}, "
              f"{options.rounds} rounds, Postgres {server.version}")
        print(f"{'':18} {'rows/s':>10} {'ratio to drain':^23} {'CPU s/M rows':>10} {'walsender':>9} {'peak MB':>9}")
        print(f"{'':18} {'median':>10} {'min':>7} {'median':>7} {'max':>7}")
        for reader in readers:
            print(row(reader, options.rows, figures[reader], figures["drain"]))


if __name__ == "__main__":
    main()
