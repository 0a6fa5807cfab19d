/* sql: the statements of the SQLite store, and the steps of its schema. */
#include "state/sql.h"

#include "base/attr.h"

/* clang-format off */
const char *const sql_texts[SQL_MAX_] = {
    [SQL_BEGIN_READ] = "BEGIN",
    /* IMMEDIATE takes the write lock now: taking it at the first write fails when another process
     * has written since the first read, and no waiting helps then. */
    [SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",

    [SQL_FLOW_LOAD] =
        "SELECT system_id, timeline, database, slot, publication, epoch, slot_intent, checkpoint,"
        "       clean_end, has_started"
        "  FROM __puffgres_flow",
    [SQL_FLOW_SAVE] =
        "INSERT INTO __puffgres_flow (id, system_id, timeline, database, slot, publication, epoch,"
        "                             slot_intent, checkpoint, clean_end, has_started)"
        " VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        " ON CONFLICT (id) DO UPDATE"
        "    SET system_id = ?1, timeline = ?2, database = ?3, slot = ?4, publication = ?5,"
        "        epoch = ?6, slot_intent = ?7, checkpoint = ?8, clean_end = ?9, has_started = ?10"
        "  WHERE checkpoint <= ?8",
    [SQL_FLOW_CHECKPOINT] =
        "SELECT checkpoint FROM __puffgres_flow",
    [SQL_FLOW_CHECKPOINT_SAVE] =
        "INSERT INTO __puffgres_flow (id, checkpoint) VALUES (1, ?1)"
        " ON CONFLICT (id) DO UPDATE SET checkpoint = ?1 WHERE checkpoint <= ?1",
    [SQL_FLOW_CHECKPOINT_RESET] =
        "UPDATE __puffgres_flow SET checkpoint = '00000000/00000000'",

    [SQL_CHECKPOINTS_LOAD] =
        "SELECT mapping, lsn, truncate_position, flags, text"
        "  FROM __puffgres_checkpoints ORDER BY mapping",
    [SQL_CHECKPOINT_GET] =
        "SELECT lsn FROM __puffgres_checkpoints WHERE mapping = ?1",
    [SQL_CHECKPOINT_SAVE] =
        "INSERT INTO __puffgres_checkpoints (mapping, lsn, truncate_position, flags, text)"
        " VALUES (?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT (mapping) DO UPDATE"
        "    SET lsn = ?2, truncate_position = max(truncate_position, ?3), flags = ?4, text = ?5"
        "  WHERE lsn <= ?2",
    [SQL_CHECKPOINTS_RESET] =
        "DELETE FROM __puffgres_checkpoints",

    [SQL_MIGRATIONS_LOAD] =
        "SELECT mapping, version, file, hash, target, normal, applied_ms"
        "  FROM __puffgres_migrations ORDER BY mapping, version",
    [SQL_MIGRATION_ADD] =
        "INSERT INTO __puffgres_migrations"
        "            (mapping, version, file, hash, target, normal, applied_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
    [SQL_MIGRATION_GET] =
        "SELECT hash, file FROM __puffgres_migrations WHERE mapping = ?1 AND version = ?2",

    [SQL_DEAD_LETTER_ADD] =
        "INSERT INTO __puffgres_dead_letters"
        "            (mapping, mapping_version, position, op, doc_id, event, kind, error,"
        "             retry_count, first_ms, last_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
        " ON CONFLICT (mapping, position, doc_id) DO UPDATE"
        "    SET kind = ?7, error = ?8, retry_count = retry_count + 1,"
        "        last_ms = max(last_ms, ?11)",
    [SQL_DEAD_LETTERS_LIST] =
        "SELECT id, mapping, mapping_version, position, op, doc_id, event, kind, error,"
        "       retry_count, first_ms, last_ms"
        "  FROM __puffgres_dead_letters"
        " WHERE (?1 IS NULL OR mapping = ?1) AND (?2 = 0 OR id = ?2)"
        " ORDER BY id LIMIT ?3",
    [SQL_DEAD_LETTERS_COUNT] =
        "SELECT count(*) FROM __puffgres_dead_letters WHERE ?1 IS NULL OR mapping = ?1",
    [SQL_DEAD_LETTER_HAS] =
        "SELECT 1 FROM __puffgres_dead_letters WHERE mapping = ?1 AND doc_id = ?2 LIMIT 1",

    [SQL_JOURNAL_ADD] =
        "INSERT INTO __puffgres_journal (target, id, quoted, position, due_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT (target, id, quoted) DO UPDATE"
        "    SET position = max(position, ?4), due_ms = max(due_ms, ?5)",
    [SQL_JOURNAL_DUE] =
        "SELECT id, quoted, position, due_ms FROM __puffgres_journal"
        " WHERE target = ?1 AND due_ms <= ?2 ORDER BY due_ms, position LIMIT ?3",
    [SQL_JOURNAL_REMOVE] =
        "DELETE FROM __puffgres_journal"
        " WHERE target = ?1 AND id = ?2 AND quoted = ?3 AND position = ?4 AND due_ms = ?5",
    [SQL_JOURNAL_SIZE] =
        "SELECT coalesce(sum(bytes), 0), coalesce(sum(entries), 0),"
        "       min((SELECT min(due_ms) FROM __puffgres_journal AS j WHERE j.target = t.target))"
        "  FROM __puffgres_journal_totals AS t WHERE ?1 IS NULL OR target = ?1",

    [SQL_UNKNOWN_PUT] =
        "INSERT INTO __puffgres_unknown (target, until_ms) VALUES (?1, ?2)"
        " ON CONFLICT (target) DO UPDATE SET until_ms = max(until_ms, ?2)",
    [SQL_UNKNOWN_GET] =
        "SELECT until_ms FROM __puffgres_unknown WHERE target = ?1",
    [SQL_META_PUT] =
        "INSERT INTO __puffgres_meta (key, text) VALUES (?1, ?2)"
        " ON CONFLICT (key) DO UPDATE SET text = ?2",
    [SQL_META_GET] =
        "SELECT text FROM __puffgres_meta WHERE key = ?1",
};

const char *const sql_steps[] = {
    /* to version 1 */
    "CREATE TABLE __puffgres_flow ("
    "  id          INTEGER PRIMARY KEY CHECK (id = 1),"
    "  system_id   TEXT NOT NULL DEFAULT '',"
    "  timeline    INTEGER NOT NULL DEFAULT 0,"
    "  database    TEXT NOT NULL DEFAULT '',"
    "  slot        TEXT NOT NULL DEFAULT '',"
    "  publication TEXT NOT NULL DEFAULT '',"
    "  epoch       INTEGER NOT NULL DEFAULT 0,"
    "  slot_intent INTEGER NOT NULL DEFAULT 0,"
    "  checkpoint  TEXT NOT NULL,"
    "  clean_end   INTEGER NOT NULL DEFAULT 0,"
    "  has_started INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"

    "CREATE TABLE __puffgres_checkpoints ("
    "  mapping           TEXT PRIMARY KEY,"
    "  lsn               TEXT NOT NULL,"
    "  truncate_position TEXT NOT NULL,"
    "  flags             INTEGER NOT NULL,"
    "  text              TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE __puffgres_migrations ("
    "  mapping    TEXT NOT NULL,"
    "  version    INTEGER NOT NULL,"
    "  file       TEXT NOT NULL,"
    "  hash       TEXT NOT NULL,"
    "  target     TEXT NOT NULL,"
    "  normal     TEXT NOT NULL,"
    "  applied_ms INTEGER NOT NULL,"
    "  PRIMARY KEY (mapping, version)"
    ") STRICT, WITHOUT ROWID;"

    /* AUTOINCREMENT: the id of a cleared dead letter is not given again */
    "CREATE TABLE __puffgres_dead_letters ("
    "  id              INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  mapping         TEXT NOT NULL,"
    "  mapping_version INTEGER NOT NULL,"
    "  position        TEXT NOT NULL,"
    "  op              TEXT NOT NULL,"
    "  doc_id          TEXT NOT NULL,"
    "  event           TEXT NOT NULL,"
    "  kind            TEXT NOT NULL,"
    "  error           TEXT NOT NULL,"
    "  retry_count     INTEGER NOT NULL,"
    "  first_ms        INTEGER NOT NULL,"
    "  last_ms         INTEGER NOT NULL,"
    "  UNIQUE (mapping, position, doc_id)"
    ") STRICT;"
    "CREATE INDEX __puffgres_dead_letters_doc_id ON __puffgres_dead_letters (mapping, doc_id);"

    "CREATE TABLE __puffgres_journal ("
    "  target   TEXT NOT NULL,"
    "  id       TEXT NOT NULL,"
    "  quoted   INTEGER NOT NULL,"
    "  position TEXT NOT NULL,"
    "  due_ms   INTEGER NOT NULL,"
    "  PRIMARY KEY (target, id, quoted)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX __puffgres_journal_due ON __puffgres_journal (target, due_ms, position);"

    /* The cap on the journal is asked for with every delete: the sums are kept, not counted.  64
     * is about what an entry costs beside its id. */
    "CREATE TABLE __puffgres_journal_totals ("
    "  target  TEXT PRIMARY KEY,"
    "  entries INTEGER NOT NULL,"
    "  bytes   INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER __puffgres_journal_added AFTER INSERT ON __puffgres_journal BEGIN"
    "  INSERT INTO __puffgres_journal_totals (target, entries, bytes)"
    "  VALUES (new.target, 1, 64 + length(CAST(new.id AS BLOB)))"
    "  ON CONFLICT (target) DO UPDATE"
    "     SET entries = entries + 1, bytes = bytes + 64 + length(CAST(new.id AS BLOB));"
    "END;"
    "CREATE TRIGGER __puffgres_journal_removed AFTER DELETE ON __puffgres_journal BEGIN"
    "  UPDATE __puffgres_journal_totals"
    "     SET entries = entries - 1, bytes = bytes - 64 - length(CAST(old.id AS BLOB))"
    "   WHERE target = old.target;"
    "END;"

    "CREATE TABLE __puffgres_unknown ("
    "  target   TEXT PRIMARY KEY,"
    "  until_ms INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE __puffgres_meta ("
    "  key  TEXT PRIMARY KEY,"
    "  text TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID;",
};
/* clang-format on */

const size_t sql_step_count = ARRAY_LEN(sql_steps);
