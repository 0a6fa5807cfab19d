#ifndef CONTRACT_STORE_CASES_H
#define CONTRACT_STORE_CASES_H

/*
 * The stores there are, a fixture with one of them open, and the runner that gives every test to
 * every store.  The next store is a row in `kinds` and a branch in open_store().
 */

#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "contract/store.h"
#include "harness/check.h"
#include "state/sqlite.h"

/* ---- the stores ---- */

struct kind {
    const char *name;
    bool persistent;
};

static struct kind kinds[] = {
    /* cmocka hands it on as void * */
    {"sqlite", true},
    {"memory", false},
};

struct fixture {
    const struct kind *kind;
    struct store *store;
    const struct store_type *type;
    struct arena *arena;
    char folder[32];
    char path[64];
    struct err err;
};

static inline void
open_store(struct fixture *f)
{
    if (f->kind->persistent)
        CHECK_OK(state_sqlite_open(f->path, STATE_CREATE, &f->store, &f->err), f->err);
    else
        CHECK_OK(state_memory_open(&f->store, &f->err), f->err);
    f->type = f->store->type;
}

static inline void
reopen(struct fixture *f)
{
    store_closep(&f->store);
    open_store(f);
}

static inline int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->kind = *state;
    f->arena = arena_new("test");
    snprintf(f->folder, sizeof(f->folder), "/tmp/store-XXXXXX");
    CHECK(mkdtemp(f->folder));
    snprintf(f->path, sizeof(f->path), "%s/state.db", f->folder);
    open_store(f);
    *state = f;
    return 0;
}

static inline int
teardown(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    struct fixture *f = *state;
    char name[80];

    store_closep(&f->store);
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        snprintf(name, sizeof(name), "%s%s", f->path, suffixes[i]);
        unlink(name);
    }
    rmdir(f->folder);
    arena_free(f->arena);
    free(f);
    return 0;
}

/* ---- short forms ---- */

static inline struct position
at(lsn_t commit, uint64_t ordinal)
{
    return (struct position){commit, ordinal};
}

static inline void
check_position(struct position got, struct position want)
{
    if (position_compare(got, want) != 0)
        fail_msg("got " LSN_FMT " %llu, want " LSN_FMT " %llu", LSN_ARG(got.commit),
                 (unsigned long long)got.ordinal, LSN_ARG(want.commit),
                 (unsigned long long)want.ordinal);
}

static inline struct store_dead_letter
letter(const char *mapping, struct position position, struct span doc_id)
{
    return (struct store_dead_letter){
        .mapping = mapping,
        .mapping_version = 3,
        .position = position,
        .op = "update",
        .doc_id = doc_id,
        .event = SPAN("{\"op\":\"update\"}"),
        .kind = "data",
        .error = "vector has 3 dimensions, not 4",
        .first_ms = 1000,
        .last_ms = 1000,
    };
}

static inline void
add_letter(struct fixture *f, const char *mapping, struct position position, const char *doc_id)
{
    struct store_dead_letter one = letter(mapping, position, span_of(doc_id));

    CHECK_OK(f->type->dead_letters_add(f->store, &one, 1, &f->err), f->err);
}

static inline size_t
list_letters(struct fixture *f, struct store_dead_letter_filter filter,
             struct store_dead_letter **ret)
{
    size_t count;

    CHECK_OK(f->type->dead_letters_list(f->store, &filter, f->arena, ret, &count, &f->err), f->err);
    return count;
}

static inline int64_t
count_letters(struct fixture *f, const char *mapping)
{
    int64_t count;

    CHECK_OK(f->type->dead_letters_count(f->store, mapping, &count, &f->err), f->err);
    return count;
}

static inline struct store_journal_entry
entry(const char *id, struct position position, int64_t due_ms)
{
    return (struct store_journal_entry){
        .id = span_of(id), .quoted = true, .position = position, .due_ms = due_ms};
}

static inline void
journal(struct fixture *f, const char *target, struct store_journal_entry one)
{
    CHECK_OK(f->type->journal_add(f->store, target, &one, 1, &f->err), f->err);
}

static inline void
unjournal(struct fixture *f, const char *target, struct store_journal_entry one)
{
    CHECK_OK(f->type->journal_remove(f->store, target, &one, 1, &f->err), f->err);
}

static inline size_t
due(struct fixture *f, const char *target, int64_t now_ms, size_t limit,
    struct store_journal_entry **ret)
{
    size_t count;

    CHECK_OK(f->type->journal_due(f->store, target, now_ms, limit, f->arena, ret, &count, &f->err),
             f->err);
    return count;
}

static inline void
check_journal(struct fixture *f, const char *target, int64_t want_bytes, int64_t want_count,
              int64_t want_due_ms)
{
    int64_t bytes, count, due_ms;

    CHECK_OK(f->type->journal_size(f->store, target, &bytes, &count, &due_ms, &f->err), f->err);
    CHECK_INT(count, want_count);
    CHECK_INT(bytes, want_bytes);
    CHECK_INT(due_ms, want_due_ms);
}

/* ---- every test with every store ---- */

struct store_case {
    const char *name;
    CMUnitTestFunction run;
};

#define STORE_CASE(function)                                                                       \
    {                                                                                              \
#function, function                                                                        \
    }

static inline int
run_store_cases(const char *group, const struct store_case *cases, size_t count)
{
    struct CMUnitTest all[100] = {0};
    char names[ARRAY_LEN(all)][128];
    size_t n = 0;

    CHECK(count * ARRAY_LEN(kinds) <= ARRAY_LEN(all));
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        for (size_t i = 0; i < count; i++, n++) {
            snprintf(names[n], sizeof(names[n]), "%s: %s", kinds[k].name, cases[i].name);
            all[n] = (struct CMUnitTest){names[n], cases[i].run, setup, teardown, &kinds[k]};
        }
    }
    return _cmocka_run_group_tests(group, all, n, NULL, NULL);
}

#endif
