#ifndef HARNESS_MOCK_DESTINATION_H
#define HARNESS_MOCK_DESTINATION_H

/*
 * A destination that writes nothing down but what it was told, and fails as it is scripted.
 *
 * Its documents behave as turbopuffer's: with DEST_VERSIONED an older write is skipped while the
 * document is there, and a deleted id is forgotten, version and all (facts 4.2).
 *
 * One at a time; a test begins with mock_reset().  Answers are used up in order, one per write;
 * when there are none left writes succeed.  An action whose id is poison makes its write ERR_DATA.
 *
 *     mock_reset(DEST_KEYED | DEST_VERSIONED | DEST_LATE_WRITES);
 *     mock_answer((struct mock_answer){.kind = ERR_TRANSIENT, .unknown = true});
 *     …
 *     CHECK_STR(mock_log(), "U1@100.1 D2@100.2\n");      one line per write that succeeded
 *
 * Writes come from lane threads; everything here is locked.
 */

#include "contract/destination.h"

struct mock_answer {
    enum err_kind kind; /* ERR_NONE: succeeds */
    bool unknown;
    int zombie; /* the failed write is applied all the same, after so many further writes; 0: never
                 */
    int64_t retry_after_ms;
    int64_t delay_ms; /* before answering; ends early, as CANCELED, when the write is canceled */
    const char *text; /* of the error; NULL: "scripted" */
};

/* With the caps of the last reset. */
const struct destination_type *mock_destination_type(void);

void mock_reset(unsigned caps);
void mock_answer(struct mock_answer answer);
void mock_poison(const char *id);

const char *mock_log(void);      /* of writes that succeeded; valid until the next mock call */
size_t mock_writes(void);        /* attempts */
size_t mock_failed_writes(void); /* of them */
size_t mock_ids(void);           /* distinct ids that are present now */

int64_t mock_deadline_ms(void); /* of the last write */

/* The largest number of rows in one write that succeeded. */
size_t mock_largest(void);

/* Versions never decreased while an id was present, in the order of writes. */
bool mock_ordered(void);

/* Apply all zombies that are still on their way. */
void mock_settle(void);

/* The `name` field of a document that is present, else NULL; valid until the next write. */
const char *mock_name(const char *id);

#endif
