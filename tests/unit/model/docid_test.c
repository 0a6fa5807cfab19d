/* docid: every id has one text, and what the target cannot hold is an error that says what to do.
 */
#include "model/docid.h"

#include "harness/check.h"

#define UUID "00112233-4455-6677-8899-aabbccddeeff"

struct fixture {
    struct arena *arena;
    struct mapping mapping;
};

static int
setup(void **state)
{
    static struct fixture fixture;

    fixture.arena = arena_new("test");
    fixture.mapping = (struct mapping){.id_name = "id", .file = "migrations/001_users.toml"};
    *state = &fixture;
    return 0;
}

static int
teardown(void **state)
{
    arena_free(((struct fixture *)*state)->arena);
    return 0;
}

static bool
make(struct fixture *f, const char *text, struct docid *ret, struct err *err)
{
    struct value value = {.ptr = text, .len = (uint32_t)strlen(text), .kind = VALUE_TEXT};

    return docid_make(&f->mapping, &value, f->arena, ret, err);
}

static void
ids_have_one_text(void **state)
{
    static const struct {
        enum id_type type;
        bool as_string;
        const char *in;
        const char *want;
        bool quoted;
    } cases[] = {
        {ID_UINT, false, "0", "0", false},
        {ID_UINT, false, "42", "42", false},
        {ID_UINT, false, "007", "7", false},
        {ID_UINT, false, "000", "0", false},
        {ID_UINT, false, "-0", "0", false},
        {ID_UINT, false, "18446744073709551615", "18446744073709551615", false},
        {ID_INT, false, "9223372036854775807", "9223372036854775807", false},
        {ID_UINT, false, "5.000", "5", false},
        {ID_UINT, false, "500", "500", false},
        {ID_INT, true, "-5", "-5", true},
        {ID_INT, true, "-05", "-5", true},
        {ID_INT, true, "05", "5", true},
        {ID_INT, true, "-0", "0", true},
        {ID_INT, true, "99999999999999999999", "99999999999999999999", true},
        {ID_UUID, false, UUID, UUID, true},
        {ID_UUID, false, "00112233-4455-6677-8899-AABBCCDDEEFF", UUID, true},
        {ID_UUID, false, "00112233445566778899aAbBcCdDeEfF", UUID, true},
        {ID_UUID, false, "{00112233-4455-6677-8899-aabbccddeeff}", UUID, true},
        {ID_UUID, false, "URN:uuid:00112233-4455-6677-8899-aabbccddeeff", UUID, true},
        {ID_STRING, false, "a b", "a b", true},
        {ID_STRING, false, "007", "007", true},
        {ID_STRING, false, "", "", true},
        {ID_STRING, false, "1234567890123456789012345678901234567890123456789012345678901234",
         "1234567890123456789012345678901234567890123456789012345678901234", true},
        {ID_STRING, false, "\xC3\xA4", "\xC3\xA4", true},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct docid got;
        struct err err;

        f->mapping.id_type = cases[i].type;
        f->mapping.id_encode_string = cases[i].as_string;
        CHECK_OK(make(f, cases[i].in, &got, &err), err);
        CHECK_SPAN(got.text, cases[i].want);
        CHECK_INT(got.quoted, cases[i].quoted);
    }
}

static void
refusals_name_the_remedy(void **state)
{
    static const struct {
        enum id_type type;
        const char *in;
        const char *want;
    } cases[] = {
        {ID_UINT, "-5",
         "id -5 is negative, which the target cannot hold; set `id = { column = \"id\", type = "
         "\"int\", encode = \"string\" }` in migrations/001_users.toml"},
        {ID_INT, "-9223372036854775808",
         "id -9223372036854775808 is negative, which the target cannot hold; set `id = { column = "
         "\"id\", type = \"int\", encode = \"string\" }` in migrations/001_users.toml"},
        {ID_UINT, "18446744073709551616",
         "id 18446744073709551616 is over 2^64-1; set `id = { column = \"id\", type = \"int\", "
         "encode = \"string\" }` in migrations/001_users.toml"},
        {ID_UINT, "1.5",
         "id \"1.5\" is not an integer; use id type \"string\" in migrations/001_users.toml"},
        {ID_UINT, "",
         "id \"\" is not an integer; use id type \"string\" in migrations/001_users.toml"},
        {ID_UINT, "-",
         "id \"-\" is not an integer; use id type \"string\" in migrations/001_users.toml"},
        {ID_UINT, ".0",
         "id \".0\" is not an integer; use id type \"string\" in migrations/001_users.toml"},
        {ID_UINT, "1e3",
         "id \"1e3\" is not an integer; use id type \"string\" in migrations/001_users.toml"},
        {ID_UUID, "not-a-uuid", "id \"not-a-uuid\" is not a uuid; use id type \"string\""},
        {ID_UUID, "00112233-4455-6677-8899_aabbccddeeff",
         "id \"00112233-4455-6677-8899_aabbccddeeff\" is not a uuid; use id type \"string\""},
        {ID_UUID, "00112233-4455-6677-8899-aabbccddeefg",
         "id \"00112233-4455-6677-8899-aabbccddeefg\" is not a uuid; use id type \"string\""},
        {ID_UUID, "{}", "id \"{}\" is not a uuid; use id type \"string\""},
        {ID_UUID, "", "id \"\" is not a uuid; use id type \"string\""},
        {ID_STRING, "12345678901234567890123456789012345678901234567890123456789012345",
         "id \"12345678901234567890123456789012...\" has 65 bytes, and the target holds at most "
         "64; map a shorter unique column as the id"},
        {ID_STRING, "\xFF\xFE",
         "the id's 2 bytes are not UTF-8; map another unique column as the id"},
    };
    struct fixture *f = *state;

    f->mapping.id_encode_string = false;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct docid untouched = {.text = SPAN_INIT("as it was")};
        struct err err;

        f->mapping.id_type = cases[i].type;
        CHECK_FAILS(make(f, cases[i].in, &untouched, &err), err, ERR_DATA, cases[i].want);
        CHECK_SPAN(untouched.text, "as it was");
    }
}

static void
defect_p2_07_a_missing_id_is_an_error(void **state)
{
    static const struct {
        enum value_kind kind;
        const char *want;
    } cases[] = {
        {VALUE_NULL, "id column \"id\" is null; make it NOT NULL"},
        {VALUE_UNCHANGED, "the WAL does not carry id column \"id\"; make it part of the replica "
                          "identity"},
    };
    struct fixture *f = *state;

    f->mapping.id_type = ID_STRING;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct value value = {.kind = cases[i].kind};
        struct docid id;
        struct err err;

        CHECK_FAILS(docid_make(&f->mapping, &value, f->arena, &id, &err), err, ERR_DATA,
                    cases[i].want);
    }
}

static void
the_usual_id_is_not_copied(void **state)
{
    static const struct {
        enum id_type type;
        const char *text;
    } cases[] = {{ID_UINT, "4711"}, {ID_UUID, UUID}, {ID_STRING, "key"}};
    struct fixture *f = *state;
    size_t used = arena_used(f->arena);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct docid id;
        struct err err;

        f->mapping.id_type = cases[i].type;
        CHECK_OK(make(f, cases[i].text, &id, &err), err);
        CHECK(id.text.ptr == cases[i].text);
    }
    CHECK_INT(arena_used(f->arena), used);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ids_have_one_text, setup, teardown),
        cmocka_unit_test_setup_teardown(refusals_name_the_remedy, setup, teardown),
        cmocka_unit_test_setup_teardown(defect_p2_07_a_missing_id_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(the_usual_id_is_not_copied, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
