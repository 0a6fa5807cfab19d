/* store_deletes: the dead letters and the delete journal of every store (contract/store.h). */
#include "contract/store_cases.h"

/* ---- dead letters ---- */

static void
defect_p1_03_dead_letters_are_kept_whole(void **state)
{
    struct fixture *f = *state;
    struct store_dead_letter given = letter("users", at(UINT64_C(0x8000000000000000), 7),
                                            SPAN("it's \"42\"")),
                             *got;

    given.event = SPAN("{\"text\":\"a\0b \xF0\x9F\x90\xA6\"}"); /* with a NUL inside */
    given.retry_count = 4;
    given.last_ms = 5000;
    CHECK_OK(f->type->dead_letters_add(f->store, &given, 1, &f->err), f->err);
    CHECK_INT(list_letters(f, (struct store_dead_letter_filter){0}, &got), 1);
    CHECK(got[0].id > 0);
    CHECK_STR(got[0].mapping, "users");
    CHECK_INT(got[0].mapping_version, 3);
    check_position(got[0].position, given.position);
    CHECK_STR(got[0].op, "update");
    CHECK(span_eq(got[0].doc_id, given.doc_id));
    CHECK(span_eq(got[0].event, given.event));
    CHECK_STR(got[0].kind, "data");
    CHECK_STR(got[0].error, given.error);
    CHECK_INT(got[0].retry_count, 4);
    CHECK_INT(got[0].first_ms, 1000);
    CHECK_INT(got[0].last_ms, 5000);
}

static void
one_dead_letter_per_change(void **state)
{
    struct fixture *f = *state;
    struct store_dead_letter again = letter("users", at(0x10, 1), SPAN("42")), *got;

    add_letter(f, "users", at(0x10, 1), "42");
    again.last_ms = 9000;
    again.first_ms = 9000;
    again.error = "another text";
    CHECK_OK(f->type->dead_letters_add(f->store, &again, 1, &f->err), f->err);
    CHECK_INT(list_letters(f, (struct store_dead_letter_filter){0}, &got), 1);
    CHECK_INT(got[0].retry_count, 1);
    CHECK_INT(got[0].first_ms, 1000);
    CHECK_INT(got[0].last_ms, 9000);
    CHECK_STR(got[0].error, "another text");

    again.last_ms = 2000; /* a clock that was set back */
    CHECK_OK(f->type->dead_letters_add(f->store, &again, 1, &f->err), f->err);
    CHECK_INT(list_letters(f, (struct store_dead_letter_filter){0}, &got), 1);
    CHECK_INT(got[0].retry_count, 2);
    CHECK_INT(got[0].last_ms, 9000);

    add_letter(f, "orders", at(0x10, 1), "42"); /* each part of the key counts */
    add_letter(f, "users", at(0x10, 2), "42");
    add_letter(f, "users", at(0x11, 1), "42");
    add_letter(f, "users", at(0x10, 1), "43");
    add_letter(f, "users", at(0x10, 1), "");
    CHECK_INT(count_letters(f, NULL), 6);
}

static void
dead_letters_are_found(void **state)
{
    struct fixture *f = *state;
    static const struct {
        struct store_dead_letter_filter filter;
        const char *want;
    } cases[] = {
        {{0}, "1 2 3 4 "},
        {{.mapping = "users"}, "1 3 4 "},
        {{.mapping = "users", .limit = 2}, "1 3 "},
        {{.limit = 3}, "1 2 3 "},
        {{.id = 2}, "2 "},
        {{.mapping = "users", .id = 2}, ""},
        {{.id = 99}, ""},
        {{.mapping = "nobody"}, ""},
    };

    add_letter(f, "users", at(0x10, 1), "1");
    add_letter(f, "orders", at(0x10, 2), "1");
    add_letter(f, "users", at(0x10, 3), "2");
    add_letter(f, "users", at(0x09, 1), "3");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_free) struct buf got = buf_make(100);
        struct store_dead_letter *letters;
        size_t count = list_letters(f, cases[i].filter, &letters);

        for (size_t at = 0; at < count; at++)
            buf_putf(&got, "%lld ", (long long)letters[at].id);
        CHECK_SPAN(buf_span(&got), cases[i].want);
    }
    CHECK_INT(count_letters(f, NULL), 4);
    CHECK_INT(count_letters(f, "users"), 3);
    CHECK_INT(count_letters(f, "orders"), 1);
    CHECK_INT(count_letters(f, "nobody"), 0);
}

static void
rule_19_a_dead_letter_of_an_id_is_a_reason(void **state)
{
    struct fixture *f = *state;
    const struct span ids[] = {SPAN_INIT("1"), SPAN_INIT("4"), SPAN_INIT("3"), SPAN_INIT(""),
                               SPAN_INIT("01")};
    bool has[ARRAY_LEN(ids)] = {false, true, false, true, true};

    add_letter(f, "users", at(0x10, 1), "1");
    add_letter(f, "users", at(0x20, 1), "1");
    add_letter(f, "users", at(0x10, 2), "3");
    add_letter(f, "orders", at(0x10, 3), "4");
    CHECK_OK(f->type->dead_letters_have(f->store, "users", ids, ARRAY_LEN(ids), has, &f->err),
             f->err);
    CHECK(has[0] && !has[1] && has[2] && !has[3] && !has[4]);
    CHECK_OK(f->type->dead_letters_have(f->store, "users", NULL, 0, NULL, &f->err), f->err);
}

static void
many_dead_letters_are_one_transaction(void **state)
{
    struct fixture *f = *state;
    struct store_dead_letter many[300], *got;

    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = letter("users", at(0x10, i + 1), SPAN("1"));
    CHECK_OK(f->type->dead_letters_add(f->store, many, ARRAY_LEN(many), &f->err), f->err);
    CHECK_INT(list_letters(f, (struct store_dead_letter_filter){0}, &got), 300);
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        check_position(got[i].position, at(0x10, i + 1));
}

/* ---- the delete journal ---- */

static void
rule_19_an_entry_keeps_the_greatest_position_and_the_latest_due(void **state)
{
    struct fixture *f = *state;
    static const struct {
        struct position position, want_position;
        int64_t due_ms, want_due_ms;
    } cases[] = {
        {{0x20, 2}, {0x20, 2}, 500, 500},
        {{0x20, 1}, {0x20, 2}, 600, 600},   /* older delete, later reason */
        {{0x20, 10}, {0x20, 10}, 100, 600}, /* newer delete, earlier reason */
        {{0x1F, 99}, {0x20, 10}, 600, 600},
        {{UINT64_C(0x8000000000000000), 1}, {UINT64_C(0x8000000000000000), 1}, 0, 600},
        {{UINT64_C(0x8000000000000000), UINT64_MAX},
         {UINT64_C(0x8000000000000000), UINT64_MAX},
         700,
         700},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct store_journal_entry *got;

        journal(f, "users", entry("42", cases[i].position, cases[i].due_ms));
        CHECK_INT(due(f, "users", INT64_MAX, 10, &got), 1);
        check_position(got[0].position, cases[i].want_position);
        CHECK_INT(got[0].due_ms, cases[i].want_due_ms);
        CHECK(got[0].quoted);
        CHECK_SPAN(got[0].id, "42");
    }
}

static void
due_entries_come_earliest_first(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int64_t now_ms;
        size_t limit;
        const char *want;
    } cases[] = {
        {99, 10, ""},      {100, 10, "c"}, {200, 10, "cba"}, {299, 10, "cba"},
        {300, 10, "cbad"}, {300, 2, "cb"}, {300, 0, ""},
    };

    journal(f, "users", entry("a", at(0x20, 1), 200));
    journal(f, "users", entry("b", at(0x10, 1), 200));
    journal(f, "users", entry("c", at(0x30, 1), 100));
    journal(f, "users", entry("d", at(0x05, 1), 300));
    journal(f, "orders", entry("x", at(0x01, 1), 1));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_free) struct buf got = buf_make(100);
        struct store_journal_entry *entries;
        size_t count = due(f, "users", cases[i].now_ms, cases[i].limit, &entries);

        for (size_t at = 0; at < count; at++)
            buf_put(&got, entries[at].id);
        CHECK_SPAN(buf_span(&got), cases[i].want);
    }
}

static void
rule_19_only_what_was_repeated_leaves_the_journal(void **state)
{
    struct fixture *f = *state;
    struct store_journal_entry *got, number = entry("42", at(0x20, 1), 200);

    number.quoted = false;
    journal(f, "users", entry("42", at(0x20, 1), 200));
    journal(f, "users", number);                          /* 42 and "42" are two documents */
    unjournal(f, "users", entry("42", at(0x10, 1), 200)); /* a newer delete came meanwhile */
    unjournal(f, "users", entry("42", at(0x20, 2), 200));
    unjournal(f, "users", entry("42", at(0x20, 1), 100)); /* a later reason came meanwhile */
    unjournal(f, "users", entry("4", at(0x20, 1), 200));
    unjournal(f, "orders", entry("42", at(0x20, 1), 200));
    CHECK_INT(due(f, "users", INT64_MAX, 10, &got), 2);

    unjournal(f, "users", entry("42", at(0x20, 1), 200));
    CHECK_INT(due(f, "users", INT64_MAX, 10, &got), 1);
    CHECK(!got[0].quoted);
    unjournal(f, "users", number);
    unjournal(f, "users", number); /* again: nothing left to do */
    CHECK_INT(due(f, "users", INT64_MAX, 10, &got), 0);
    check_journal(f, "users", 0, 0, INT64_MAX);
}

static void
rule_18_a_truncate_is_an_entry_without_id(void **state)
{
    struct fixture *f = *state;
    struct store_journal_entry *got, truncate = {.position = {0x20, 1}, .due_ms = 300};

    journal(f, "users", truncate);
    truncate.position.ordinal = 5;
    journal(f, "users", truncate);
    CHECK_INT(due(f, "users", 300, 10, &got), 1);
    CHECK_INT(got[0].id.len, 0);
    check_position(got[0].position, at(0x20, 5));
    unjournal(f, "users", truncate);
    CHECK_INT(due(f, "users", 300, 10, &got), 0);
}

static void
rule_19_the_journal_is_measured_in_bytes(void **state)
{
    struct fixture *f = *state;

    journal(f, "users", entry("12345678", at(0x20, 1), 900));
    check_journal(f, "users", 64 + 8, 1, 900);
    journal(f, "users", entry("12345678", at(0x21, 1), 800)); /* merged: not one more */
    check_journal(f, "users", 64 + 8, 1, 900);
    journal(f, "users", entry("\xC3\xA4", at(0x20, 2), 700)); /* bytes, not characters */
    check_journal(f, "users", 64 + 8 + 64 + 2, 2, 700);
    journal(f, "orders", entry("1", at(0x20, 3), 500));
    check_journal(f, "users", 64 + 8 + 64 + 2, 2, 700);
    check_journal(f, "orders", 64 + 1, 1, 500);
    check_journal(f, NULL, 64 + 8 + 64 + 2 + 64 + 1, 3, 500);
    unjournal(f, "users", entry("\xC3\xA4", at(0x20, 2), 700));
    check_journal(f, "users", 64 + 8, 1, 900);
    unjournal(f, "users", entry("12345678", at(0x21, 1), 900));
    check_journal(f, "users", 0, 0, INT64_MAX);
    check_journal(f, NULL, 64 + 1, 1, 500);
}

int
main(void)
{
    static const struct store_case cases[] = {
        STORE_CASE(defect_p1_03_dead_letters_are_kept_whole),
        STORE_CASE(one_dead_letter_per_change),
        STORE_CASE(dead_letters_are_found),
        STORE_CASE(rule_19_a_dead_letter_of_an_id_is_a_reason),
        STORE_CASE(many_dead_letters_are_one_transaction),
        STORE_CASE(rule_19_an_entry_keeps_the_greatest_position_and_the_latest_due),
        STORE_CASE(due_entries_come_earliest_first),
        STORE_CASE(rule_19_only_what_was_repeated_leaves_the_journal),
        STORE_CASE(rule_18_a_truncate_is_an_entry_without_id),
        STORE_CASE(rule_19_the_journal_is_measured_in_bytes),
    };

    return run_store_cases("store_deletes", cases, ARRAY_LEN(cases));
}
