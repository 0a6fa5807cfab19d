"""Real Postgres servers, 13 to 18: Debian's 15 and the ones that tools/setup puts under build/node.

    with Postgres(18, settings={"wal_sender_timeout": "2s"}) as server:
        db = server.create_database()
        db.execute("CREATE TABLE t (id int PRIMARY KEY)")
        puffgres_gets(db.url())

Each server has its own folder, a free loopback port and a Unix socket. The harness itself always connects
through the socket, which trusts; what the tests try out (passwords, TLS) is on the port.
Postgres refuses to run as root, so as root it runs as an unprivileged user."""
import atexit
import functools
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import urllib.parse

import psycopg
from psycopg.conninfo import make_conninfo

from harness.paths import NODE
from harness.ports import free_port
from harness.process import Process
from harness.waiting import wait_until

DEFAULT_VERSION = 15
CI_VERSIONS = (13, 15, 18)
PASSWORD = "correct horse"
ADMIN = "postgres"

DEFAULTS = {
    "listen_addresses": "127.0.0.1",
    "wal_level": "logical",
    "max_wal_senders": "20",
    "max_replication_slots": "20",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "fsync": "off",
    "autovacuum_naptime": "1h",
    "log_min_messages": "info",
    "log_line_prefix": "%m [%p] %a ",
    "timezone": "UTC",
}

STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


@functools.cache
def servers():
    """Folder of the programs per major version that is installed."""
    found = {}
    for version in range(13, 19):
        for folder in (pathlib.Path(f"/usr/lib/postgresql/{version}/bin"),
                       NODE / f"node_modules/postgres-{version}/native/bin"):
            if version not in found and (folder / "postgres").exists():
                found[version] = folder
    return found


@functools.cache
def unprivileged_user():
    """The user that servers run as, None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("no user to run Postgres as: neither postgres nor nobody exists")


def as_server_user(argv):
    """The command as the unprivileged user; where the tree lies in a closed folder (root's home), with the
    one capability that lets it pass, kept for access(2) by the securebit."""
    user = unprivileged_user()
    if not user:
        return argv
    command = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups",
               "--pdeathsig=QUIT"]
    if any(not folder.stat().st_mode & 0o001 for folder in pathlib.Path(argv[0]).parents):
        command += ["--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return [*command, *argv]


def owned_folder(prefix):
    """A new folder with a short path (Unix sockets have 107 bytes) that belongs to the server's user."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    give_to_server_user(folder)
    return folder


def give_to_server_user(path):
    user = unprivileged_user()
    if user:
        os.chown(path, user.pw_uid, user.pw_gid)


def run_quietly(argv, **options):
    """Run to the end; what it said is shown only when it failed."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


@functools.cache
def empty_cluster(version):
    """A cluster as initdb leaves it, made once per version and test run, copied for each server."""
    folder = owned_folder(f"wallaby-pg{version}-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    data = folder / "data"
    password = folder / "password"
    password.write_text(PASSWORD)
    give_to_server_user(password)
    run_quietly(as_server_user([
        str(servers()[version] / "initdb"), "-D", str(data), "-U", ADMIN, "-E", "UTF8", "--locale=C", "--no-sync",
        "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password}"]), cwd="/")
    with open(data / "postgresql.conf", "a", encoding="utf-8") as conf:
        conf.write("include 'wallaby.conf'\n")
    return data


def quote_conf(value):
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"


class Database:
    """One database of a server."""

    def __init__(self, server, name):
        self.server, self.name = server, name

    def connect(self, **options):
        """A psycopg connection through the Unix socket, autocommit unless told otherwise."""
        options = {"user": ADMIN, "autocommit": True, **options}
        autocommit = options.pop("autocommit")
        conninfo = make_conninfo(host=str(self.server.folder), port=self.server.port, dbname=self.name, **options)
        return psycopg.connect(conninfo, autocommit=autocommit)

    def execute(self, sql, params=None):
        """Run SQL (several statements only without params); the rows of the last one, if it has any."""
        with self.connect() as connection:
            cursor = connection.execute(sql, params)
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def value(self, sql, params=None):
        """The first column of the first row, None without rows."""
        rows = self.execute(sql, params)
        return rows[0][0] if rows else None

    def url(self, user=ADMIN, password=PASSWORD, **options):
        """A postgresql:// address over TCP, as a user of the product writes it."""
        login = urllib.parse.quote(user, safe="")
        if password is not None:
            login += ":" + urllib.parse.quote(password, safe="")
        query = "?" + urllib.parse.urlencode(options) if options else ""
        return f"postgresql://{login}@127.0.0.1:{self.server.port}/{urllib.parse.quote(self.name, safe='')}{query}"


class Postgres:
    """settings: postgresql.conf on top of DEFAULTS; tls: a certificate for 127.0.0.1 (self.root_cert), and
    only TLS on the port; auth: method on the port (scram-sha-256, md5, trust, ...); hba: lines put first."""

    def __init__(self, version=DEFAULT_VERSION, *, settings=None, tls=False, auth="scram-sha-256", hba=()):
        self.version = version
        self.bin = servers()[version]
        self.settings = {**DEFAULTS, **(settings or {})}
        self.tls, self.auth, self.hba = tls, auth, tuple(hba)
        self.folder = owned_folder("wallaby-pg-")
        self.data, self.log = self.folder / "data", self.folder / "log"
        self.port = free_port()
        self.process = None
        self.databases = 0
        run_quietly(as_server_user(["/bin/cp", "-a", str(empty_cluster(version)), str(self.data)]), cwd="/")
        if tls:
            self._make_certificate()
        self.admin = Database(self, "postgres")

    # ---- configuration ----

    def _write_as_server_user(self, path, text):
        path.write_text(text)
        give_to_server_user(path)
        path.chmod(0o600)

    def _make_certificate(self):
        self.root_cert, key = self.folder / "server.crt", self.folder / "server.key"
        run_quietly(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                     "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                     "-keyout", str(key), "-out", str(self.root_cert)])
        self.root_cert.chmod(0o644)
        self.folder.chmod(0o755)
        give_to_server_user(key)
        self.settings |= {"ssl": "on", "ssl_cert_file": str(self.root_cert), "ssl_key_file": str(key)}

    def _write_configuration(self):
        settings = {**self.settings, "port": self.port, "unix_socket_directories": str(self.folder)}
        lines = [f"{name} = {quote_conf(value)}\n" for name, value in settings.items()]
        self._write_as_server_user(self.data / "wallaby.conf", "".join(lines))
        host = "hostssl" if self.tls else "host"
        hba = [*self.hba, "local all all trust", "local replication all trust",
               f"{host} all all 127.0.0.1/32 {self.auth}", f"{host} replication all 127.0.0.1/32 {self.auth}"]
        self._write_as_server_user(self.data / "pg_hba.conf", "\n".join(hba) + "\n")

    def configure(self, **settings):
        """Change settings for the next start or reload(); None takes one away."""
        self.settings |= settings
        self.settings = {name: value for name, value in self.settings.items() if value is not None}
        self._write_configuration()

    # ---- life ----

    def start(self, timeout=60.0):
        self._write_configuration()
        if self.process:
            self.process.close()
        self.process = Process(as_server_user([str(self.bin / "postgres"), "-D", str(self.data)]), self.log,
                               cwd="/", death=signal.SIGQUIT)
        self.process.name = f"postgres {self.version}"
        wait_until(self.accepts, timeout, f"postgres {self.version} accepts connections")
        return self

    def accepts(self):
        if not self.process.alive:
            raise RuntimeError(f"postgres {self.version} ended:\n{self.process.log_text()[-4000:]}")
        try:
            return self.admin.value("SELECT NOT pg_is_in_recovery()")
        except psycopg.OperationalError:
            return False

    def stop(self, mode="fast", timeout=60.0):
        """smart, fast or immediate, as pg_ctl names them."""
        self.process.stop(STOP_SIGNALS[mode], timeout)

    def restart(self, mode="fast"):
        self.stop(mode)
        return self.start()

    def reload(self):
        self._write_configuration()
        self.process.send(signal.SIGHUP)

    def close(self):
        if self.process:
            if self.process.alive:
                self.process.stop(signal.SIGQUIT, 30)
            self.process.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # ---- what tests ask ----

    def create_database(self, name=None, **options):
        """A new database; options go to CREATE DATABASE (TEMPLATE, ENCODING, ...)."""
        self.databases += 1
        name = name or f"test_{self.databases}"
        words = " ".join(f"{option} {value}" for option, value in options.items())
        self.admin.execute(f'CREATE DATABASE "{name}" {words}')
        return Database(self, name)

    def drop_database(self, database):
        """With its slots, which would hold WAL for ever."""
        wait_until(lambda: self._drop_slots(database.name), 15, f"slots of {database.name} are free")
        self.admin.execute(f'DROP DATABASE IF EXISTS "{database.name}" WITH (FORCE)')

    def _drop_slots(self, name):
        self.admin.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                           " WHERE database = %s AND active", (name,))
        try:
            self.admin.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                               " WHERE database = %s", (name,))
        except psycopg.errors.ObjectInUse:
            return False
        return True

    def slot(self, name):
        """The slot's row of pg_replication_slots as a dict, None when there is none."""
        with self.admin.connect() as connection:
            cursor = connection.execute("SELECT * FROM pg_replication_slots WHERE slot_name = %s", (name,))
            row = cursor.fetchone()
            return dict(zip([column.name for column in cursor.description], row)) if row else None

    def lsn(self):
        """The current end of WAL as a number."""
        return lsn_number(self.admin.value("SELECT pg_current_wal_lsn()"))


def lsn_number(text):
    """16/B374D848 as a number."""
    high, low = str(text).split("/")
    return (int(high, 16) << 32) + int(low, 16)
