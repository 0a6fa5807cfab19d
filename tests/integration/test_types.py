"""Every type of the table in SPEC.md from a real Postgres to a real target. What is wanted is read by Postgres
itself, as JSON: nothing of ours, and nothing of the driver's, takes part in it."""
import re

import pytest

from harness.mirror import OWN
from harness.waiting import Expired, wait_until

# What turbopuffer gives back for a value, as SQL over the column {c}.
SAME = "to_json({c})"
TEXT = "to_json({c}::text)"
PRINTED = "to_json(CASE WHEN {c} IS NOT NULL THEN format('%s', {c}) END)"  # inet's cast is not its output
INSTANT = """to_json(to_char({c}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"000000Z"'))"""
DAY = """to_json(to_char({c}, 'YYYY-MM-DD"T"00:00:00.000000000Z'))"""
BASE64 = r"to_json(replace(encode({c}, 'base64'), E'\n', ''))"
TEXTS = "to_json({c}::text[])"
DAYS = """(SELECT json_agg(to_char(e, 'YYYY-MM-DD"T"00:00:00.000000000Z')) FROM unnest({c}) e)"""
INSTANTS = """(SELECT json_agg(to_char(e, 'YYYY-MM-DD"T"HH24:MI:SS.MS"000000Z"')) FROM unnest({c}) e)"""
BASE64S = r"(SELECT json_agg(replace(encode(e, 'base64'), E'\n', '')) FROM unnest({c}) e)"
# Text that is itself JSON: compared as what it says.
FIELDS = "CASE WHEN {c}::text IS NOT NULL THEN to_json(json_build_array(({c}).a::text, ({c}).b)::text) END"

# column, Postgres type, type in the target, how it is read, values
TYPES = [
    ("i2", "smallint", "int", SAME, ["-32768", "0", "32767"]),
    ("i4", "integer", "int", SAME, ["-2147483648", "2147483647"]),
    ("i8", "bigint", "int", SAME, ["-9223372036854775808", "9223372036854775807", "9007199254740993"]),
    ("o", "oid", "uint", "to_json({c}::bigint)", ["0", "4294967295"]),
    ("f4", "real", "float", SAME, ["1.5", "-0.1", "3.4028235e38"]),
    ("f8", "double precision", "float", SAME, ["0.1", "-1e-300", "1.7976931348623157e308", "5e-324"]),
    ("b", "boolean", "bool", SAME, ["true", "false"]),
    ("u", "uuid", "uuid", SAME, ["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"]),
    ("t", "text", "string", SAME, ["''", r"E'a\"b\\c\n\x01\t'", "'€ 🦘 漢'", "'NULL'", "repeat('x', 4096)"]),
    ("vc", "varchar(10)", "string", SAME, ["'ten chars!'"]),
    ("ch", "char(4)", "string", TEXT.replace("{c}::text", "rpad({c}::text, 4)"), ["'ab'"]),
    ("nm", "name", "string", SAME, ["'a_name'"]),
    ("ts", "timestamp", "datetime", INSTANT, ["'2024-02-29 10:00:00.123456'", "'0001-01-01'", "'9999-12-31 23:59:59.999'"]),
    ("tz", "timestamptz", "datetime", INSTANT, ["'2024-03-02 10:00:00.987654+02'", "'1969-12-31 23:59:59.001-11'"]),
    ("d", "date", "datetime", DAY, ["'2024-02-29'", "'0001-01-01'", "'9999-12-31'"]),
    ("nu", "numeric", "string", TEXT, ["1.10", "'NaN'", "123456789012345678901234567890.123456789", "-0.000"]),
    ("nf", "numeric", "float", SAME, ["19.990", "-7"]),
    ("mo", "money", "string", TEXT, ["1234.5"]),
    ("iv", "interval", "string", TEXT, ["'1 year 2 mons 3 days 04:05:06.789'", "'-1 day'"]),
    ("ti", "time", "string", TEXT, ["'10:00:00.123456'", "'24:00:00'"]),
    ("tt", "timetz", "string", TEXT, ["'10:00:00+02:30'"]),
    ("ip", "inet", "string", PRINTED, ["'10.1.2.3/8'", "'::1'"]),
    ("ci", "cidr", "string", TEXT, ["'10.0.0.0/8'"]),
    ("ma", "macaddr", "string", TEXT, ["'08:00:2b:01:02:03'"]),
    ("js", "json", "string", TEXT, ["""'{"b": 1,  "a": [null, 1e5]}'"""]),
    ("jb", "jsonb", "string", TEXT, ["""'{"b": 1,  "a": [null, 1e5, "ü"]}'""", "'null'"]),
    ("ra", "int4range", "string", TEXT, ["'[1,5)'", "'empty'", "'(,7]'"]),
    ("tr", "tstzrange", "string", TEXT, ["'[2024-01-01 00:00+00,2024-02-01 00:00+00)'"]),
    ("en", "mood", "string", TEXT, ["'so so'", "'happy'"]),
    ("dp", "positive", "int", SAME, ["7"]),
    ("dt", "short_text", "string", SAME, ["'short'"]),
    ("by", "bytea", "string", BASE64, [r"'\x'", r"'\x00ff666f6f'"]),
    ("xm", "xml", "string", TEXT, ["'<a b=\"c\">d</a>'"]),
    ("bi", "bit(3)", "string", TEXT, ["B'101'"]),
    ("bv", "bit varying", "string", TEXT, ["B''", "B'0111'"]),
    ("po", "point", "string", TEXT, ["'(1,2)'"]),
    ("vs", "tsvector", "string", TEXT, ["'a:1 b:2'"]),
    ("ro", "pair", "string", FIELDS, ["ROW(1, 'a \"b\", c')", "ROW(NULL, '')"]),
    ("ai", "int[]", "[]int", SAME, ["'{1,-2,3}'", "'{}'", "'[2:3]={7,8}'"]),
    ("a8", "bigint[]", "[]int", SAME, ["'{9223372036854775807}'"]),
    ("ax", "text[]", "[]string", SAME, [r"""ARRAY['a', 'b,c', 'd"e\f', 'NULL', '', '{}']"""]),
    ("ab", "boolean[]", "[]bool", SAME, ["'{t,f}'"]),
    ("af", "double precision[]", "[]float", SAME, ["'{1.5,-2}'"]),
    ("au", "uuid[]", "[]uuid", SAME, ["'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'"]),
    ("az", "timestamptz[]", "[]datetime", INSTANTS, ["ARRAY['2024-03-02 10:00:00.5+02'::timestamptz]"]),
    ("ad", "date[]", "[]datetime", DAYS, ["'{2024-02-29,2024-03-01}'"]),
    ("an", "numeric[]", "[]string", TEXTS, ["'{1.10,NaN}'"]),
    ("ae", "mood[]", "[]string", TEXTS, ["'{happy,\"so so\"}'"]),
    ("ay", "bytea[]", "[]string", BASE64S, [r"""ARRAY['\xff00'::bytea]"""]),
    ("aj", "int[]", "string", SAME.replace("{c}", "to_json({c})::text"), ["'{1,NULL}'", "'{{1,2},{3,4}}'"]),
    ("vec", "vector(3)", "[3]f32", "{c}::text::json", ["'[1,2.5,-0.25]'", "'[0,0,1]'", "'[3,3,3]'", "'[4,4,4]'", "'[5,5,5]'"]),
    ("ex", "timestamptz", "string", """to_json(to_char({c}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))""",
     ["'2024-03-02 10:00:00.123456+02'"]),
]

HINTS = """\
distance_metric = "cosine_distance"

[target.schema]
nf = "float"
aj = "string"
t = { type = "string", filterable = false }
ex = { exact = true }
"""

# A server without pgvector can still say "vector(3)": a type of that name whose text is its own, and whose
# modifier is the number in the brackets (that of timestamp(n), which is the plain number).
VECTOR = """
CREATE TYPE vector;
CREATE FUNCTION vector_in(cstring) RETURNS vector LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION vector_out(vector) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE FUNCTION vector_mod(cstring[]) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'timestamptypmodin';
CREATE TYPE vector (INPUT = vector_in, OUTPUT = vector_out, TYPMOD_IN = vector_mod, STORAGE = extended);
CREATE CAST (vector AS text) WITHOUT FUNCTION;
"""


def create(database):
    database.execute(VECTOR + """
        CREATE TYPE mood AS ENUM ('so so', 'happy');
        CREATE DOMAIN positive AS int CHECK (VALUE > 0);
        CREATE DOMAIN short_text AS varchar(10);
        CREATE TYPE pair AS (a int, b text);""")
    columns = ", ".join(f'"{name}" {sql}' for name, sql, *_ in TYPES)
    database.execute(f"CREATE TABLE everything (id bigint PRIMARY KEY, {columns})")


def insert(database, row):
    """Row n has the nth value of every column, or its last one."""
    values = [values[min(row, len(values) - 1)] for *_, values in TYPES]
    database.execute(f"INSERT INTO everything VALUES ({row}, {', '.join(values)})")


def wanted(database):
    columns = ", ".join(f"'{name}', {read.format(c=name)}" for name, _, _, read, _ in TYPES[:45])
    rest = ", ".join(f"'{name}', {read.format(c=name)}" for name, _, _, read, _ in TYPES[45:])
    with database.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; SET extra_float_digits = 1")
        rows = connection.execute(f"SELECT id, json_build_object({columns}), json_build_object({rest}) FROM everything")
        return {key: {name: value for name, value in {**one, **two}.items() if value is not None}
                for key, one, two in rows}


def compact(value):
    """JSON inside of text may be spaced as it likes; nothing else may."""
    return value.replace(" ", "") if isinstance(value, str) else value


def documents(local):
    return {document["id"]: {name: value for name, value in document.items() if name not in (*OWN, "id")}
            for document in local.dump("everything").get("everything", [])}


def differences(want, got):
    for key in sorted(want.keys() | got.keys()):
        row, document = want.get(key, {}), got.get(key, {})
        for name, sql, *_ in TYPES:
            left, right = row.get(name), document.get(name)
            if name in ("ro", "aj"):
                left, right = compact(left), compact(right)
            if left != right or type(left) is not type(right) and name != "f8" and name != "f4" and name != "nf":
                yield f"row {key}, {name} {sql}: want {left!r}, got {right!r}"


@pytest.fixture
def everything(project, database):
    create(database)
    project.migration("everything", "everything", columns=["id", *(name for name, *_ in TYPES)], more=HINTS)
    project.ok("migrate")
    return database


def test_every_type_arrives_as_it_is(everything, project, local, run_puffgres, postgres_version):
    run_puffgres().wait_log("streaming")
    for row in range(5):
        insert(everything, row)
    # In one row everything may be null, but for the vector, which is what such a document is found by.
    everything.execute("INSERT INTO everything (id, vec) VALUES (99, '[1,2,3]')")
    everything.execute("UPDATE everything SET b = NOT b, t = t || '.' WHERE id = 1")
    want = wanted(everything)
    try:
        wait_until(lambda: not list(differences(want, documents(local))), 20, "every value of every type")
    except Expired as late:
        raise AssertionError("\n".join([str(late), *differences(want, documents(local))]
                                       + [project.command("dlq", "list").stdout])) from None
    schema = local.request("GET", "/v1/namespaces/everything/schema")
    for name, _, target, *_ in TYPES:
        got = schema[name]["type"] if isinstance(schema[name], dict) else schema[name]
        assert got == target, f"{name}: {schema[name]}"


def test_rule_31_check_names_every_loss_and_only_those(everything, project):
    said = project.command("check").stdout
    named = {name for name, *_ in TYPES if f"column {name} (" in said}
    for name, loss in {"ts": "microseconds are cut off", "tz": "microseconds are cut off", "az": "microseconds",
                       "d": "infinity", "f4": "NaN", "f8": "NaN", "nf": "16 significant digits", "ai": "nulls inside",
                       "js": "4 KiB", "by": "4 KiB"}.items():
        assert re.search(rf"column {name} \(.*{loss}", said), f"{name}: {loss}\n{said}"
    assert not named & {"i2", "i4", "i8", "o", "b", "u", "vc", "ch", "mo", "ip", "en", "dp", "dt", "ex"}, said


@pytest.mark.parametrize("column, sql", [
    ("f8", "'NaN'"), ("f4", "'Infinity'"), ("ts", "'infinity'"), ("tz", "'-infinity'"), ("d", "'0044-03-15 BC'"),
    ("d", "'10000-01-01'"), ("ai", "'{1,NULL}'"), ("ai", "'{{1,2},{3,4}}'"), ("vec", "NULL"), ("vec", "'[1,2]'"),
    ("t", "repeat('x', 9000000)"),
])
def test_rule_31_a_value_without_a_form_is_a_dead_letter_by_name(everything, project, local, run_puffgres, column, sql):
    run_puffgres().wait_log("streaming")
    vector = "" if column == "vec" else ", vec"
    value = "" if column == "vec" else ", '[1,2,3]'"
    everything.execute(f"INSERT INTO everything (id, {column}{vector}) VALUES (1, {sql}{value})")
    everything.execute("INSERT INTO everything (id, i4, vec) VALUES (2, 7, '[1,2,3]')")
    wait_until(lambda: set(documents(local)) == {2}, 15, "the row after it")
    listed = wait_until(lambda: project.ok("dlq", "list"), 5)
    assert f"column {column}:" in listed or column in listed, listed
    assert "1 dead letter\n" in listed
