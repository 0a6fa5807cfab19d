#ifndef STATE_SQL_H
#define STATE_SQL_H

/*
 * All SQL text of the SQLite store, in two tables: the statements, and the steps that bring the
 * schema of an older file up to date.
 *
 * LSNs are stored as text of one width ("00000000/016B3748"), positions as that and the ordinal
 * ("00000000/016B3748.0000000000000007", both halves hexadecimal): text order is their order, all
 * 64 bits of each fit, and people can read them.
 */

#include <stddef.h>

/* "Puff": what `file` and the next open know our files by (PRAGMA application_id). */
#define SQL_APPLICATION_ID 0x50756666

enum sql {
    SQL_BEGIN_READ,
    SQL_BEGIN_WRITE,
    SQL_COMMIT,
    SQL_ROLLBACK,

    SQL_FLOW_LOAD,
    SQL_FLOW_SAVE,
    SQL_FLOW_CHECKPOINT,
    SQL_FLOW_CHECKPOINT_SAVE,
    SQL_FLOW_CHECKPOINT_RESET,

    SQL_CHECKPOINTS_LOAD,
    SQL_CHECKPOINT_GET,
    SQL_CHECKPOINT_SAVE,
    SQL_CHECKPOINTS_RESET,

    SQL_MIGRATIONS_LOAD,
    SQL_MIGRATION_ADD,
    SQL_MIGRATION_GET,

    SQL_DEAD_LETTER_ADD,
    SQL_DEAD_LETTERS_LIST,
    SQL_DEAD_LETTERS_COUNT,
    SQL_DEAD_LETTER_HAS,

    SQL_JOURNAL_ADD,
    SQL_JOURNAL_DUE,
    SQL_JOURNAL_REMOVE,
    SQL_JOURNAL_SIZE,

    SQL_UNKNOWN_PUT,
    SQL_UNKNOWN_GET,
    SQL_META_PUT,
    SQL_META_GET,
    SQL_MAX_,
};

extern const char *const sql_texts[SQL_MAX_];

/* Step i brings a file from version i to i + 1 (PRAGMA user_version). */
extern const char *const sql_steps[];
extern const size_t sql_step_count;

#endif
