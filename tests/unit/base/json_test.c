/* json: what is written, what is read, what is refused and where. */
#include "base/json.h"

#include "harness/check.h"

/* ---- writing ---- */

static void
writes_a_document(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = buf_make(1000);
    struct json_writer w = {.out = &out};

    json_object_begin(&w);
    json_key(&w, SPAN("id"));
    json_uint(&w, UINT64_MAX);
    json_key(&w, SPAN("list"));
    json_array_begin(&w);
    json_int(&w, -1);
    json_bool(&w, true);
    json_bool(&w, false);
    json_null(&w);
    json_array_begin(&w);
    json_array_end(&w);
    json_object_begin(&w);
    json_object_end(&w);
    json_raw(&w, SPAN("1.10"));
    json_array_end(&w);
    json_key(&w, SPAN("s"));
    json_string(&w, SPAN("x"));
    json_object_end(&w);
    CHECK_STR(out.ptr, "{\"id\":18446744073709551615,\"list\":[-1,true,false,null,[],{},1.10],"
                       "\"s\":\"x\"}");
}

static void
escapes_strings(void **state UNUSED)
{
    static const struct {
        struct span text;
        const char *want;
    } cases[] = {
        {SPAN_INIT(""), "\"\""},
        {SPAN_INIT("plain"), "\"plain\""},
        {SPAN_INIT("a\"b\\c/d"), "\"a\\\"b\\\\c/d\""},
        {SPAN_INIT("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
        {SPAN_INIT("\0\x01\x1F\x7F"), "\"\\u0000\\u0001\\u001f\x7F\""},
        {SPAN_INIT("\xE2\x82\xAC \xF0\x9F\xA6\x98 \xC3\xBF"),
         "\"\xE2\x82\xAC \xF0\x9F\xA6\x98 \xC3\xBF\""},
        {SPAN_INIT("eight by\"e"), "\"eight by\\\"e\""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_free) struct buf out = buf_make(1000);

        json_put_string(&out, cases[i].text);
        CHECK_STR(out.ptr, cases[i].want);
    }
}

/* The scan looks at eight bytes at once: every byte value in every place of a word. */
static void
every_byte_is_escaped_in_every_place_or_in_none(void **state UNUSED)
{
    for (int byte = 0; byte < 256; byte++) {
        for (size_t place = 0; place < 19; place++) {
            CLEANUP(buf_free) struct buf out = buf_make(1000);
            bool escaped = byte < 0x20 || byte == '"' || byte == '\\';
            char text[19];

            memset(text, 'x', sizeof(text));
            text[place] = (char)byte;
            json_put_string(&out, (struct span){text, sizeof(text)});
            if (escaped != (out.len > 21) || escaped != (out.ptr[place + 1] == '\\'))
                fail_msg("byte %02x at %zu: %s", (unsigned)byte, place, out.ptr);
        }
    }
}

static void
a_string_that_does_not_fit_is_remembered(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf exact = buf_make(5), tight = buf_make(4), escaped = buf_make(6);
    struct err err;

    json_put_string(&exact, SPAN("abc"));
    CHECK_OK(buf_ok(&exact, &err), err);
    json_put_string(&tight, SPAN("abc"));
    CHECK(!buf_ok(&tight, &err));
    json_put_string(&escaped, SPAN("a\nb\n"));
    CHECK(!buf_ok(&escaped, &err));
}

/* ---- the pull parser ---- */

/* The tokens of a document, one letter each, texts in brackets; errors as "!text". */
static void
tokens(struct span input, struct arena *arena, struct buf *out)
{
    static const char letters[] = {'.', 'n', 'b', '#', 's', '[', ']', '{', '}', 'k'};
    struct json_reader r = json_reader_make(input, arena);
    struct json_token token;
    struct err err;

    do {
        if (!json_next(&r, &token, &err)) {
            buf_putf(out, "!%s", err.text);
            return;
        }
        buf_putc(out, letters[token.type]);
        if (token.type == JSON_NUMBER || token.type == JSON_STRING || token.type == JSON_KEY)
            buf_putf(out, "(%.*s)", SPAN_ARG(token.text));
        if (token.type == JSON_BOOL)
            buf_putc(out, token.yes ? '1' : '0');
    } while (token.type != JSON_END);
}

static void
reads_tokens(void **state UNUSED)
{
    static const struct {
        const char *input, *want;
    } cases[] = {
        {"null", "n."},
        {" true ", "b1."},
        {"\t\r\nfalse\n", "b0."},
        {"0", "#(0)."},
        {"-0", "#(-0)."},
        {"1.10", "#(1.10)."},
        {"18446744073709551615", "#(18446744073709551615)."},
        {"-12.5e+3", "#(-12.5e+3)."},
        {"1E5", "#(1E5)."},
        {"\"\"", "s()."},
        {"\"a b\"", "s(a b)."},
        {"[]", "[]."},
        {"{}", "{}."},
        {"[1,2]", "[#(1)#(2)]."},
        {"[[],[[]]]", "[[][[]]]."},
        {"{\"a\":1,\"b\":[true]}", "{k(a)#(1)k(b)[b1]}."},
        {" { \"a\" : { } , \"\" : null } ", "{k(a){}k()n}."},
        {"{\"a\":{\"b\":{}},\"c\":\"d\"}", "{k(a){k(b){}}k(c)s(d)}."},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        CLEANUP(buf_free) struct buf got = buf_make(10000);

        tokens(span_of(cases[i].input), arena, &got);
        CHECK_STR(got.ptr, cases[i].want);
    }
}

static void
decodes_strings(void **state UNUSED)
{
    static const struct {
        const char *input;
        struct span want;
    } cases[] = {
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", SPAN_INIT("\"\\/\b\f\n\r\t")},
        {"\"\\u0041\\u00e9\\u20AC\"", SPAN_INIT("A\xC3\xA9\xE2\x82\xAC")},
        {"\"\\u0000\"", SPAN_INIT("\0")},
        {"\"a\\u0000b\"", SPAN_INIT("a\0b")},
        {"\"\\ud83e\\udd98!\"", SPAN_INIT("\xF0\x9F\xA6\x98!")},
        {"\"\\uDBFF\\uDFFF\"", SPAN_INIT("\xF4\x8F\xBF\xBF")},
        {"\"\xE2\x82\xAC\\n\xE2\x82\xAC\"", SPAN_INIT("\xE2\x82\xAC\n\xE2\x82\xAC")},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct json *value;
        struct err err;

        CHECK_OK(json_parse(span_of(cases[i].input), arena, &value, &err), err);
        if (!span_eq(value->text, cases[i].want))
            fail_msg("%s: got \"%.*s\"", cases[i].input, SPAN_ARG(value->text));
    }
}

#define AT(n, what) "malformed JSON at byte " #n ": " what

static void
refuses_what_is_not_json(void **state UNUSED)
{
    static const struct {
        struct span input;
        const char *want;
    } cases[] = {
        {SPAN_INIT(""), AT(0, "it ends too early")},
        {SPAN_INIT("  "), AT(2, "it ends too early")},
        {SPAN_INIT("["), AT(1, "it ends too early")},
        {SPAN_INIT("[1"), AT(2, "expected ',' or a closing bracket")},
        {SPAN_INIT("[1,"), AT(3, "it ends too early")},
        {SPAN_INIT("{"), AT(1, "expected a key in quotes")},
        {SPAN_INIT("{\"a\""), AT(4, "expected ':'")},
        {SPAN_INIT("{\"a\":"), AT(5, "it ends too early")},
        {SPAN_INIT("{\"a\":1"), AT(6, "expected ',' or a closing bracket")},
        {SPAN_INIT("{\"a\" 1}"), AT(5, "expected ':'")},
        {SPAN_INIT("{a:1}"), AT(1, "expected a key in quotes")},
        {SPAN_INIT("{1:1}"), AT(1, "expected a key in quotes")},
        {SPAN_INIT("{\"a\":1,}"), AT(7, "expected a key in quotes")},
        {SPAN_INIT("{,}"), AT(1, "expected a key in quotes")},
        {SPAN_INIT("{\"a\":}"), AT(5, "expected a value")},
        {SPAN_INIT("[1,]"), AT(3, "expected a value")},
        {SPAN_INIT("[,1]"), AT(1, "expected a value")},
        {SPAN_INIT("[1 2]"), AT(3, "expected ',' or a closing bracket")},
        {SPAN_INIT("[1}"), AT(2, "a bracket that does not match")},
        {SPAN_INIT("{]"), AT(1, "a bracket that does not match")},
        {SPAN_INIT("]"), AT(0, "expected a value")},
        {SPAN_INIT("1 2"), AT(2, "text behind the end of the document")},
        {SPAN_INIT("{} x"), AT(3, "text behind the end of the document")},
        {SPAN_INIT("1\0"), AT(1, "text behind the end of the document")},
        {SPAN_INIT("tru"), AT(0, "expected a value")},
        {SPAN_INIT("truex"), AT(4, "text behind the end of the document")},
        {SPAN_INIT("True"), AT(0, "expected a value")},
        {SPAN_INIT("NaN"), AT(0, "expected a value")},
        {SPAN_INIT("'a'"), AT(0, "expected a value")},
        {SPAN_INIT("// a\n1"), AT(0, "expected a value")},
        {SPAN_INIT("\xEF\xBB\xBF{}"), AT(0, "expected a value")},
        {SPAN_INIT("-"), AT(0, "not a number")},
        {SPAN_INIT("+1"), AT(0, "expected a value")},
        {SPAN_INIT("01"), AT(0, "not a number")},
        {SPAN_INIT("-01"), AT(0, "not a number")},
        {SPAN_INIT(".5"), AT(0, "expected a value")},
        {SPAN_INIT("1."), AT(0, "not a number")},
        {SPAN_INIT("1.e1"), AT(0, "not a number")},
        {SPAN_INIT("1e"), AT(0, "not a number")},
        {SPAN_INIT("1e+"), AT(0, "not a number")},
        {SPAN_INIT("0x1"), AT(1, "text behind the end of the document")},
        {SPAN_INIT("\"a"), AT(0, "a string without end")},
        {SPAN_INIT("\"a\\"), AT(0, "a string without end")},
        {SPAN_INIT("\"a\\\""), AT(0, "a string without end")},
        {SPAN_INIT("\"a\nb\""), AT(2, "a control character in a string")},
        {SPAN_INIT("\"a\0b\""), AT(2, "a control character in a string")},
        {SPAN_INIT("\"\\x\""), AT(1, "not an escape sequence")},
        {SPAN_INIT("\"ab\\\xC3\xA9\""), AT(3, "not an escape sequence")},
        {SPAN_INIT("\"\\u12\""), AT(1, "not an escape sequence")},
        {SPAN_INIT("\"\\u12g4\""), AT(1, "not an escape sequence")},
        {SPAN_INIT("\"\\ud83e\""), AT(1, "not an escape sequence")},
        {SPAN_INIT("\"\\ud83ex\\udd98\""), AT(1, "not an escape sequence")},
        {SPAN_INIT("\"\\ud83e\\n12345\""), AT(1, "not an escape sequence")},
        {SPAN_INIT("\"\\ud83e\\u0041\""), AT(1, "not an escape sequence")},
        {SPAN_INIT("\"\\udd98\""), AT(1, "not an escape sequence")},
        {SPAN_INIT("\"ab\xFF\""), AT(3, "not UTF-8")},
        {SPAN_INIT("\"\xED\xA0\x80\""), AT(1, "not UTF-8")},
        {SPAN_INIT("{\"\xC3\":1}"), AT(2, "not UTF-8")},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct json *value;
        struct err err;

        if (json_parse(cases[i].input, arena, &value, &err))
            fail_msg("%.*s: was taken", SPAN_ARG(cases[i].input));
        if (err.kind != ERR_DATA || strcmp(err.text, cases[i].want) != 0)
            fail_msg("%.*s: got \"%s\", want \"%s\"", SPAN_ARG(cases[i].input), err.text,
                     cases[i].want);
    }
}

static void
a_token_knows_where_it_starts(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct json_reader r = json_reader_make(SPAN(" { \"a\" : 1 , \"b\": 2}"), arena);
    static const size_t want[] = {1, 3, 9, 13, 18, 19, 20, 20};
    struct json_token token;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        CHECK_OK(json_next(&r, &token, &err), err);
        CHECK_INT(token.offset, want[i]);
    }
    CHECK_INT(token.type, JSON_END); /* and stays so */
}

static void
strings_without_escapes_are_not_copied(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct span input = SPAN("\"borrowed\"");
    struct json_reader r = json_reader_make(input, arena);
    struct json_token token;
    struct err err;

    CHECK_OK(json_next(&r, &token, &err), err);
    CHECK(token.text.ptr == input.ptr + 1);
    CHECK_INT(arena_used(arena), 0);
}

static void
depth_has_a_limit(void **state UNUSED)
{
    char text[2 * (JSON_DEPTH_MAX + 1)];
    struct json *value;
    struct err err;

    for (size_t depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");

        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        CHECK_INT(json_parse((struct span){text, 2 * depth}, arena, &value, &err),
                  depth <= JSON_DEPTH_MAX);
    }
    CHECK_STR(err.text, AT(128, "nested too deeply"));
}

/* ---- trees ---- */

static void
a_tree_is_written_as_it_was_read(void **state UNUSED)
{
    static const char *const documents[] = {
        "null",
        "{\"a\":[1,2.50,1e400],\"b\":{\"c\":\"\\u0000\\n\",\"d\":[]},\"e\":{},\"f\":true}",
        "[[],{},\"\",0,-0,false,null,{\"\":{\"\":{}}}]",
    };

    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        CLEANUP(buf_free) struct buf out = buf_make(1000);
        struct json_writer w = {.out = &out};
        struct json *value;
        struct err err;

        CHECK_OK(json_parse(span_of(documents[i]), arena, &value, &err), err);
        json_value(&w, value);
        CHECK_STR(out.ptr, documents[i]);
    }
}

static void
finds_members(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct json *value;
    struct err err;

    CHECK_OK(json_parse(SPAN("{\"a\":1,\"b\":{\"c\":[7,8]}}"), arena, &value, &err), err);
    CHECK_INT(value->count, 2);
    CHECK_SPAN(json_get(value, "a")->text, "1");
    CHECK_INT(json_get(json_get(value, "b"), "c")->count, 2);
    CHECK_SPAN(json_get(json_get(value, "b"), "c")->first->next->text, "8");
    CHECK(!json_get(value, "c"));
    CHECK(!json_get(json_get(value, "absent"), "c")); /* so that paths can be walked */
    CHECK(!json_get(json_get(value, "a"), "c"));
}

static void
a_key_twice_is_refused(void **state UNUSED)
{
    static const struct {
        const char *input, *want;
    } cases[] = {
        {"{\"a\":1,\"a\":2}", "malformed JSON: key \"a\" twice in the object before byte 12"},
        {"[{\"b\":1,\"a\":1,\"ab\":1,\"\\u0061\":2}]",
         "malformed JSON: key \"a\" twice in the object before byte 31"},
        {"{\"a\":{\"x\":1,\"y\":2,\"x\":3}}",
         "malformed JSON: key \"x\" twice in the object before byte 23"},
        {"{\"\":1,\"\":2}", "malformed JSON: key \"\" twice in the object before byte 10"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct json *value;
        struct err err;

        CHECK_FAILS(json_parse(span_of(cases[i].input), arena, &value, &err), err, ERR_DATA,
                    cases[i].want);
    }
}

static void
numbers_convert_only_exactly(void **state UNUSED)
{
    static const struct {
        const char *input;
        bool is_int, is_uint, is_double;
    } cases[] = {
        {"1", true, true, true},
        {"-1", true, false, true},
        {"1.0", false, false, true},
        {"1e3", false, false, true},
        {"9223372036854775808", false, true, true},
        {"18446744073709551616", false, false, true},
        {"1e400", false, false, false},
        {"\"1\"", false, false, false},
        {"true", false, false, false},
        {"null", false, false, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct json *value;
        struct err err;
        int64_t n;
        uint64_t u;
        double d;

        CHECK_OK(json_parse(span_of(cases[i].input), arena, &value, &err), err);
        CHECK_INT(json_to_int(value, &n), cases[i].is_int);
        CHECK_INT(json_to_uint(value, &u), cases[i].is_uint);
        CHECK_INT(json_to_double(value, &d), cases[i].is_double);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_document),
        cmocka_unit_test(escapes_strings),
        cmocka_unit_test(every_byte_is_escaped_in_every_place_or_in_none),
        cmocka_unit_test(a_string_that_does_not_fit_is_remembered),
        cmocka_unit_test(reads_tokens),
        cmocka_unit_test(decodes_strings),
        cmocka_unit_test(refuses_what_is_not_json),
        cmocka_unit_test(a_token_knows_where_it_starts),
        cmocka_unit_test(strings_without_escapes_are_not_copied),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(a_tree_is_written_as_it_was_read),
        cmocka_unit_test(finds_members),
        cmocka_unit_test(a_key_twice_is_refused),
        cmocka_unit_test(numbers_convert_only_exactly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
