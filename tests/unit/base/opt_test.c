/* opt: defaults, every type, every refusal with its text, and the reference page. */
#include "base/opt.h"

#include "base/log.h"
#include "harness/check.h"

static const char *const methods[] = {"POST", "PUT", "PATCH", NULL};

struct settings {
    const char *url;
    const char *api_key;
    bool send_deletes;
    int64_t max_rows;
    int64_t timeout;
    int64_t max_bytes;
    int method;
    const char *topic;
};

/* clang-format off */
static const struct opt table[] = {
    {OPT_STRING(struct settings, url), .flags = OPT_REQUIRED, .help = "Where to | send"},
    {OPT_STRING(struct settings, api_key), .fallback = "none at all",
     .flags = OPT_SECRET, .help = "Key"},
    {OPT_BOOL(struct settings, send_deletes), .fallback = "true", .help = "Send deletes"},
    {OPT_INT(struct settings, max_rows), .fallback = "1000", .min = 1, .max = 5000,
     .flags = OPT_RELOAD, .help = "Rows"},
    {OPT_MILLIS(struct settings, timeout), .fallback = "30s", .min = 1, .max = 600 * 1000,
     .help = "Wait"},
    {OPT_BYTES(struct settings, max_bytes), .fallback = "8MiB", .min = 1024, .max = INT64_MAX,
     .flags = OPT_DEPRECATED, .help = "Bytes"},
    {OPT_WORD(struct settings, method), .words = methods, .fallback = "PUT", .help = "Method"},
    {OPT_STRING(struct settings, topic), .unsupported = "built without librdkafka",
     .help = "Topic"},
    {0},
};
/* clang-format on */

#define VALUE(n, v)                                                                                \
    (struct opt_value)                                                                             \
    {                                                                                              \
        .name = SPAN(n), .value = SPAN(v)                                                          \
    }
#define URL VALUE("url", "u")

static bool
load(struct settings *settings, struct opt_value a, struct opt_value b, struct arena *arena,
     struct err *err)
{
    struct opt_value values[] = {a, b};

    return opt_load(table, settings, values, b.name.ptr ? 2 : 1, arena, err);
}

static void
defaults_are_written_like_values(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct settings s = {0};
    struct err err;

    CHECK_OK(load(&s, URL, (struct opt_value){0}, arena, &err), err);
    CHECK_STR(s.url, "u");
    CHECK_STR(s.api_key, "none at all");
    CHECK(s.send_deletes);
    CHECK_INT(s.max_rows, 1000);
    CHECK_INT(s.timeout, 30000);
    CHECK_INT(s.max_bytes, 8388608);
    CHECK_INT(s.method, 1);
    CHECK(!s.topic);
}

static void
values_win_over_defaults(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    const struct opt_value values[] = {URL,
                                       VALUE("send_deletes", "false"),
                                       VALUE("max-rows", "5000"), /* as on a command line */
                                       VALUE("timeout", "10m"),
                                       VALUE("max-bytes", "1KiB"),
                                       VALUE("method", "PATCH")};
    struct settings s = {0};
    struct err err;

    CHECK_OK(opt_load(table, &s, values, ARRAY_LEN(values), arena, &err), err);
    CHECK(!s.send_deletes);
    CHECK_INT(s.max_rows, 5000);
    CHECK_INT(s.timeout, 600000);
    CHECK_INT(s.max_bytes, 1024);
    CHECK_INT(s.method, 2);
}

static void
refuses_with_what_would_be_right(void **state UNUSED)
{
    static const struct {
        struct span name, value;
        const char *want;
    } cases[] = {
        {SPAN_INIT("max_row"), SPAN_INIT("1"), "unknown option max_row; did you mean max_rows?"},
        {SPAN_INIT("Timeout"), SPAN_INIT("1s"), "unknown option Timeout; did you mean timeout?"},
        {SPAN_INIT("colour"), SPAN_INIT("x"), "unknown option colour"},
        {SPAN_INIT("url"), SPAN_INIT("again"), "option url is given twice"},
        {SPAN_INIT("topic"), SPAN_INIT("t"),
         "option topic is not available: built without librdkafka"},
        {SPAN_INIT("send_deletes"), SPAN_INIT("yes"),
         "option send_deletes: \"yes\" is not true or false"},
        {SPAN_INIT("max_rows"), SPAN_INIT("0"),
         "option max_rows: \"0\" is not an integer from 1 to 5000"},
        {SPAN_INIT("max_rows"), SPAN_INIT("5001"),
         "option max_rows: \"5001\" is not an integer from 1 to 5000"},
        {SPAN_INIT("max_rows"), SPAN_INIT("many"),
         "option max_rows: \"many\" is not an integer from 1 to 5000"},
        {SPAN_INIT("max_rows"), SPAN_INIT("5\0"),
         "option max_rows: \"5\" is not an integer from 1 to 5000"}, /* a NUL behind the 5 */
        {SPAN_INIT("timeout"), SPAN_INIT("5"),
         "option timeout: \"5\" is not a duration from 1ms to 10m"},
        {SPAN_INIT("timeout"), SPAN_INIT("1h"),
         "option timeout: \"1h\" is not a duration from 1ms to 10m"},
        {SPAN_INIT("max_bytes"), SPAN_INIT("1"),
         "option max_bytes: \"1\" is not a size of at least 1KiB"},
        {SPAN_INIT("method"), SPAN_INIT("PSOT"),
         "option method: \"PSOT\" is not POST, PUT or PATCH; did you mean POST?"},
        {SPAN_INIT("method"), SPAN_INIT("DELETE"),
         "option method: \"DELETE\" is not POST, PUT or PATCH"},
        {SPAN_INIT("api_key"), SPAN_INIT("se\0cret"), "option api_key: \"***\" is not a string"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct settings s = {0};
        struct err err;

        CHECK_FAILS(load(&s, URL,
                         (struct opt_value){.name = cases[i].name, .value = cases[i].value}, arena,
                         &err),
                    err, ERR_CONFIG, cases[i].want);
    }
}

static void
dashes_do_not_hide_a_repetition(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct settings s = {0};
    struct err err;

    CHECK_FAILS(load(&s, VALUE("max-rows", "1"), VALUE("max_rows", "1"), arena, &err), err,
                ERR_CONFIG, "option max_rows is given twice");
}

static void
a_required_option_is_missed(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct settings s = {0};
    struct err err;

    CHECK_FAILS(opt_load(table, &s, NULL, 0, arena, &err), err, ERR_CONFIG,
                "option url is required");
}

static void
a_message_begins_with_the_place(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct settings s = {0};
    struct err err;

    CHECK_FAILS(load(&s, URL,
                     (struct opt_value){.name = SPAN("metod"),
                                        .value = SPAN("PUT"),
                                        .where = "puffgres.toml:12:3"},
                     arena, &err),
                err, ERR_CONFIG, "puffgres.toml:12:3: unknown option metod; did you mean method?");
    CHECK_FAILS(load(&s, URL,
                     (struct opt_value){.name = SPAN("max_rows"),
                                        .value = SPAN("x"),
                                        .where = "puffgres.toml:7:1"},
                     arena, &err),
                err, ERR_CONFIG,
                "puffgres.toml:7:1: option max_rows: \"x\" is not an integer from 1 to 5000");
}

static void
a_secret_is_kept_from_the_log(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct settings s = {0};
    struct err err;
    char text[64];

    CHECK_OK(load(&s, URL, VALUE("api_key", "tpuf_0123"), arena, &err), err);
    CHECK_STR(s.api_key, "tpuf_0123");
    CHECK_STR(log_redact(text, sizeof(text), "key tpuf_0123 was refused"), "key *** was refused");
}

static void
finds_a_row(void **state UNUSED)
{
    CHECK(opt_find(table, SPAN("max-bytes")) == opt_find(table, SPAN("max_bytes")));
    CHECK_INT(opt_find(table, SPAN("max_bytes"))->type, OPT_TYPE_BYTES);
    CHECK(!opt_find(table, SPAN("max_byte")));
    CHECK(!opt_find(table, SPAN("")));
}

static void
documents_every_row(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf page = buf_make(10000);

    opt_document(table, &page);
    CHECK_STR(page.ptr,
              "| `url` | a string |  | Where to \\| send (required) |\n"
              "| `api_key` | a string | `***` | Key (secret) |\n"
              "| `send_deletes` | true or false | `true` | Send deletes |\n"
              "| `max_rows` | an integer from 1 to 5000 | `1000` | Rows (may change while running) "
              "|\n"
              "| `timeout` | a duration from 1ms to 10m | `30s` | Wait |\n"
              "| `max_bytes` | a size of at least 1KiB | `8MiB` | Bytes (deprecated) |\n"
              "| `method` | POST, PUT or PATCH | `PUT` | Method |\n"
              "| `topic` | a string |  | Topic (not available: built without librdkafka) |\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_written_like_values),
        cmocka_unit_test(values_win_over_defaults),
        cmocka_unit_test(refuses_with_what_would_be_right),
        cmocka_unit_test(dashes_do_not_hide_a_repetition),
        cmocka_unit_test(a_required_option_is_missed),
        cmocka_unit_test(a_message_begins_with_the_place),
        cmocka_unit_test(a_secret_is_kept_from_the_log),
        cmocka_unit_test(finds_a_row),
        cmocka_unit_test(documents_every_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
