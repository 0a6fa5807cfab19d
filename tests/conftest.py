"""Fixtures of all pytest suites: servers per test run, databases per test, and logs of what ran when one fails."""
import contextlib

import pytest

from harness import process
from harness.local import Local
from harness.postgres import CI_VERSIONS, DEFAULT_VERSION, Postgres, servers
from harness.puffgres import Project


def pytest_addoption(parser):
    parser.addoption("--matrix", action="store_true", help="also the long runs, and every Postgres version there is")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--matrix"):
        items[:] = [item for item in items if not item.get_closest_marker("matrix")]


def pytest_generate_tests(metafunc):
    """A test that takes `postgres_version` runs once per version: those of CI, or all with --matrix."""
    if "postgres_version" in metafunc.fixturenames:
        wanted = range(13, 19) if metafunc.config.getoption("--matrix") else CI_VERSIONS
        metafunc.parametrize("postgres_version", [version for version in wanted if version in servers()])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Put the ends of all logs into the report of a failed test."""
    report = yield
    if report.failed:
        for running in process.running:
            report.sections.append((f"{running.name} (pid {running.pid})", running.log_text()[-6000:]))
    return report


@pytest.fixture(scope="session")
def shared_servers():
    """Servers that live for the whole run, started when first asked for."""
    with contextlib.ExitStack() as stack:
        started = {}

        def get(version):
            if version not in started:
                started[version] = stack.enter_context(Postgres(version))
            return started[version]

        yield get


@pytest.fixture
def database(shared_servers, request):
    """A fresh database on a shared server: of `postgres_version` where the test has it, else of the default."""
    version = request.getfixturevalue("postgres_version") if "postgres_version" in request.fixturenames \
        else DEFAULT_VERSION
    server = shared_servers(version)
    fresh = server.create_database()
    yield fresh
    server.drop_database(fresh)


@pytest.fixture
def kills(pytestconfig):
    """How often a fault run kills the process: 20 in CI, 200 in the matrix."""
    return 200 if pytestconfig.getoption("--matrix") else 20


@pytest.fixture
def closing():
    """closing(thing) hands thing back and closes it after the test."""
    with contextlib.ExitStack() as stack:
        def add(thing):
            stack.callback(thing.close)
            return thing
        yield add


@pytest.fixture
def start_postgres(closing):
    """start_postgres(version, settings=..., tls=...): a server of its own, for tests that stop or bend it."""
    return lambda *args, **options: closing(Postgres(*args, **options)).start()


@pytest.fixture
def local(tmp_path, closing):
    """A turbopuffer-local."""
    return closing(Local(tmp_path)).start()


@pytest.fixture
def project(tmp_path, database, local):
    """A project folder that mirrors `database` into `local`; the test writes its migrations."""
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder, database, local)


@pytest.fixture
def run_puffgres(project, closing):
    """run_puffgres(args...): start `puffgres run` in the project; ended after the test."""
    return lambda *args, **options: closing(project.start(*args, **options))
