/* record: what is remembered of tables and publication, and what counts as a difference. */
#include "source/record.h"

#include "harness/check.h"

static const struct table users = {.oid = 100, .schema = "public", .name = "users", .kind = 'r'};
static const struct table odd = {.oid = 101, .schema = "a\"b", .name = "c.d", .kind = 'r'};

static struct publication_info
publication(oid_t oid, const struct publication_member *members, size_t count)
{
    return (struct publication_info){
        .exists = true,
        .oid = oid,
        .insert = true,
        .update = true,
        .delete = true,
        .truncate = true,
        .via_root = true,
        .members = members,
        .count = count,
    };
}

static void
rule_13_writes_oids_membership_and_options(void **state UNUSED)
{
    static const struct publication_member members[] = {{.relation = 100, .oid = 500}};
    static const struct table *const tables[] = {&users, &odd};
    CLEANUP(buf_free) struct buf out = buf_make(10000);
    struct publication_info info = publication(400, members, 1);

    record_write(&info, tables, 2, &out);
    CHECK_STR(out.ptr, "{\"publication\":{\"oid\":400,\"via_root\":true,\"publish\":\"iudt\"},"
                       "\"tables\":[{\"schema\":\"public\",\"name\":\"users\",\"oid\":100,"
                       "\"member\":500},{\"schema\":\"a\\\"b\",\"name\":\"c.d\",\"oid\":101,"
                       "\"member\":0}]}");
}

#define PUBLICATION(oid, root, ops)                                                                \
    "{\"publication\":{\"oid\":" oid ",\"via_root\":" root ",\"publish\":\"" ops "\"},\"tables\":" \
    "["
#define TABLE(name, oid, member)                                                                   \
    "{\"schema\":\"public\",\"name\":\"" name "\",\"oid\":" oid ",\"member\":" member "}"
#define BEFORE PUBLICATION("400", "true", "iudt") TABLE("users", "100", "500") "]}"

/* Differences as text: "table: text;" */
static void
compare(const char *before, const char *now, const char *want)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(buf_free) struct buf got = buf_make(10000);
    const struct record_difference *differences;
    struct err err;
    size_t count;

    CHECK_OK(record_compare(span_of(before), span_of(now), arena, &differences, &count, &err), err);
    for (size_t i = 0; i < count; i++)
        buf_putf(&got, "%s: %s;", differences[i].name ? differences[i].name : "all",
                 differences[i].text);
    CHECK_STR(got.ptr ? got.ptr : "", want);
}

static void
rule_13_a_difference_names_its_table(void **state UNUSED)
{
    static const struct {
        const char *before, *now, *want;
    } cases[] = {
        {"", BEFORE, ""}, /* the first time */
        {BEFORE, BEFORE, ""},
        {BEFORE, PUBLICATION("400", "true", "iudt") TABLE("users", "101", "502") "]}",
         "users: the table was dropped and made again (oid 100, now 101);"},
        {BEFORE, PUBLICATION("400", "true", "iudt") TABLE("users", "100", "502") "]}",
         "users: the table left the publication and came back;"},
        {BEFORE, PUBLICATION("401", "true", "iudt") TABLE("users", "100", "500") "]}",
         "all: the publication was dropped and made again;"},
        {BEFORE, PUBLICATION("400", "false", "iudt") TABLE("users", "100", "500") "]}",
         "all: publish_via_partition_root of the publication was changed;"},
        {PUBLICATION("400", "true", "iud") TABLE("users", "100", "500") "]}", BEFORE,
         "all: the publication published other operations (iud, now iudt);"},
        /* tables that come or go are no difference */
        {BEFORE,
         PUBLICATION("400", "true", "iudt")
             TABLE("users", "100", "500") "," TABLE("more", "7", "8") "]}",
         ""},
        {BEFORE, PUBLICATION("400", "true", "iudt") "]}", ""},
        /* a record of another version of ours: what it does not say is nothing */
        {"{}", PUBLICATION("0", "false", "") "]}", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        compare(cases[i].before, cases[i].now, cases[i].want);
}

static void
what_was_written_compares_as_equal(void **state UNUSED)
{
    static const struct publication_member members[] = {{.relation = 100, .oid = 500},
                                                        {.relation = 101, .oid = 501}};
    static const struct table *const tables[] = {&users, &odd};
    CLEANUP(buf_free) struct buf out = buf_make(10000);
    struct publication_info info = publication(400, members, 2);

    record_write(&info, tables, 2, &out);
    compare(out.ptr, out.ptr, "");
}

static void
refuses_what_is_no_record(void **state UNUSED)
{
    static const char *const texts[] = {"{", "[]", "7", "\"x\""};
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    const struct record_difference *differences;
    size_t count;
    struct err err;
    oid_t oid;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CHECK(
            !record_compare(span_of(texts[i]), span_of(BEFORE), arena, &differences, &count, &err));
        CHECK_INT(err.kind, ERR_DATA);
        CHECK(!record_publication(span_of(texts[i]), arena, &oid, &err));
    }
}

static void
knows_the_publication(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct err err;
    oid_t oid;

    CHECK_OK(record_publication(span_of(BEFORE), arena, &oid, &err), err);
    CHECK_INT(oid, 400);
    CHECK_OK(record_publication(SPAN(""), arena, &oid, &err), err);
    CHECK_INT(oid, 0);
    CHECK_OK(record_publication(SPAN("{}"), arena, &oid, &err), err);
    CHECK_INT(oid, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_13_writes_oids_membership_and_options),
        cmocka_unit_test(rule_13_a_difference_names_its_table),
        cmocka_unit_test(what_was_written_compares_as_equal),
        cmocka_unit_test(refuses_what_is_no_record),
        cmocka_unit_test(knows_the_publication),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
