"""Do the documents equal the rows? The question behind every integration and fault test."""
import datetime
import decimal
import uuid

from harness.waiting import Expired, wait_until

OWN = ("__source_lsn", "__source_seq", "__deleted")


def plain(value):
    """A value of psycopg as turbopuffer gives it back."""
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    if isinstance(value, datetime.datetime):
        utc = value.astimezone(datetime.timezone.utc) if value.tzinfo else value
        return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03}000000Z"
    return value


def rows(database, query, key="id"):
    """The rows of a query as documents: by id, without nulls, the id not repeated."""
    with database.connect() as connection:
        cursor = connection.execute(query)
        names = [column.name for column in cursor.description]
        found = [dict(zip(names, row)) for row in cursor.fetchall()]
    return {plain(row[key]): {name: plain(value) for name, value in row.items()
                              if name != key and value is not None} for row in found}


def documents(local, namespace):
    """What is in the namespace: by id, without our own attributes; tombstones are not there."""
    return {document["id"]: {name: value for name, value in document.items() if name != "id" and name not in OWN}
            for document in local.dump(namespace).get(namespace, []) if not document.get("__deleted")}


def difference(want, got):
    lines = []
    for key in sorted(want.keys() | got.keys(), key=str):
        if want.get(key) != got.get(key):
            lines.append(f"  {key}: row {want.get(key)!r}, document {got.get(key)!r}")
    return f"{len(lines)} of {len(want)} differ\n" + "\n".join(lines[:10])


def wait_mirrored(database, local, query, namespace, key="id", timeout=20.0):
    """Wait until the documents equal the rows; the rows must have stopped changing."""
    want = rows(database, query, key)
    try:
        wait_until(lambda: documents(local, namespace) == want, timeout, f"{namespace} mirrors {query}")
    except Expired as late:
        raise AssertionError(f"{late}\n{difference(want, documents(local, namespace))}") from None
    return want


def check_journal(local):
    """The version of a document never decreases while it stays present."""
    journal = local.journal()
    assert journal["regressions"] == 0, journal["first_regression"]
