/* log: what a line looks like, which lines are printed, and that secrets never are. */
#include "base/log.h"

#include <pthread.h>
#include <unistd.h>

#include "base/json.h"
#include "harness/check.h"

#define LINE_SIZE 65536

/* Where stderr goes while a line is caught. */
struct capture {
    int saved, read_end;
};

static struct capture
capture_begin(void)
{
    struct capture capture = {.saved = dup(STDERR_FILENO)};
    int ends[2];

    CHECK_INT(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    capture.read_end = ends[0];
    return capture;
}

/* What was written since, without the timestamp, whose form is checked. */
static const char *
capture_end(struct capture capture, char *dst)
{
    ssize_t n;

    dup2(capture.saved, STDERR_FILENO);
    close(capture.saved);
    n = read(capture.read_end, dst, LINE_SIZE - 1);
    close(capture.read_end);
    CHECK(n >= 0);
    dst[n] = '\0';
    return dst;
}

static const char *
without_time(const char *line, const char *opening)
{
    size_t at = strlen(opening);

    if (strncmp(line, opening, at) != 0 || strlen(line) < at + 24 || line[at + 10] != 'T' ||
        line[at + 23] != 'Z')
        fail_msg("no timestamp: %s", line);
    return line + at + 24;
}

static void
writes_logfmt(void **state UNUSED)
{
    struct capture capture = capture_begin();
    char line[LINE_SIZE];

    log_info(log_msg("slot created"), log_str("slot", "puffgres"), log_lsn("at", 0x16B3748),
             log_int("n", -5), log_uint("u", UINT64_MAX), log_str("empty", ""),
             log_str("eq", "a=b"), log_str("nl", "a\nb\"c"), log_str("none", NULL),
             log_str("utf", "\xC3\xA9"));
    CHECK_STR(without_time(capture_end(capture, line), "ts="),
              " level=info msg=\"slot created\" slot=puffgres at=0/16B3748 n=-5 "
              "u=18446744073709551615 empty=\"\" eq=\"a=b\" nl=\"a\\nb\\\"c\" none=\"\" "
              "utf=\xC3\xA9\n");
}

static void
writes_json(void **state UNUSED)
{
    struct capture capture = capture_begin();
    char line[LINE_SIZE];

    log_set_format(LOG_FORMAT_JSON);
    log_warn(log_msg("a \"b\""), log_lsn("at", (uint64_t)0xAB << 32 | 0xC), log_int("n", -5));
    log_set_format(LOG_FORMAT_LOGFMT);
    CHECK_STR(without_time(capture_end(capture, line), "{\"ts\":\""),
              "\",\"level\":\"warn\",\"msg\":\"a \\\"b\\\"\",\"at\":\"AB/C\",\"n\":-5}\n");
}

static void
a_json_line_is_json_whatever_is_logged(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct capture capture = capture_begin();
    static char huge[20000];
    char line[LINE_SIZE];
    struct json *value;
    struct err err;

    memset(huge, '\x01', sizeof(huge));
    log_set_format(LOG_FORMAT_JSON);
    log_error(log_span("bad", SPAN("a\xFFz\xC3")), log_span("nul", SPAN("a\0b")),
              log_span("huge", (struct span){huge, 8500}));
    log_set_format(LOG_FORMAT_LOGFMT);
    capture_end(capture, line);
    CHECK_OK(json_parse(span_of(line), arena, &value, &err), err);
    CHECK_SPAN(json_get(value, "bad")->text, "a\xEF\xBF\xBDz\xEF\xBF\xBD");
    CHECK_INT(json_get(value, "nul")->text.len, 3);
    CHECK_INT(json_get(value, "huge")->text.len, 8 * 1024 + 3); /* cut, and shown to be */
}

static void
an_error_is_a_field(void **state UNUSED)
{
    struct capture capture = capture_begin();
    char line[LINE_SIZE];
    struct err err;

    err_set(&err, ERR_CONFIG, "no such table");
    log_error(log_msg("flow stopped"), log_err(&err));
    CHECK_STR(without_time(capture_end(capture, line), "ts="),
              " level=error msg=\"flow stopped\" err=\"no such table\"\n");
}

static int
lines_at(enum log_level level)
{
    struct capture capture = capture_begin();
    char text[LINE_SIZE];
    int lines = 0;

    log_set_level(level);
    log_error(log_msg("e"));
    log_warn(log_msg("w"));
    log_info(log_msg("i"));
    log_debug(log_msg("d"));
    log_trace(log_msg("t"));
    log_set_level(LOG_LEVEL_INFO);
    capture_end(capture, text);
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    return lines;
}

static void
levels_select_lines(void **state UNUSED)
{
    CHECK_INT(lines_at(LOG_LEVEL_OFF), 0);
    CHECK_INT(lines_at(LOG_LEVEL_ERROR), 1);
    CHECK_INT(lines_at(LOG_LEVEL_WARN), 2);
    CHECK_INT(lines_at(LOG_LEVEL_INFO), 3);
    CHECK_INT(lines_at(LOG_LEVEL_DEBUG), 4);
    CHECK_INT(lines_at(LOG_LEVEL_TRACE), 5);
}

static void
filters_choose_a_level(void **state UNUSED)
{
    static const struct {
        const char *filter;
        bool ok;
        enum log_level want; /* from warn */
    } cases[] = {
        {"", true, LOG_LEVEL_WARN},
        {"info", true, LOG_LEVEL_INFO},
        {"puffgres=debug", true, LOG_LEVEL_DEBUG},
        {"puffgres=debug,error", true, LOG_LEVEL_DEBUG}, /* the named one wins */
        {"error,puffgres=debug,hyper=trace", true, LOG_LEVEL_DEBUG},
        {"hyper=trace", true, LOG_LEVEL_WARN}, /* not about us */
        {"hyper=trace,off", true, LOG_LEVEL_OFF},
        {" trace , puffgres = info ,", true, LOG_LEVEL_INFO},
        {"loud", false, LOG_LEVEL_WARN},
        {"puffgres=", false, LOG_LEVEL_WARN},
        {"info,puffgres=loud", false, LOG_LEVEL_WARN}, /* nothing of it is taken */
        {"hyper=loud", false, LOG_LEVEL_WARN},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool ok;

        log_set_level(LOG_LEVEL_WARN);
        ok = log_set_filter(cases[i].filter, "puffgres");
        for (enum log_level level = LOG_LEVEL_ERROR; level < LOG_LEVEL_OFF; level++) {
            bool want = cases[i].want != LOG_LEVEL_OFF && level <= cases[i].want;

            if (ok != cases[i].ok || log_enabled(level) != want)
                fail_msg("\"%s\": ok %d, level %d", cases[i].filter, ok, level);
        }
    }
    log_set_level(LOG_LEVEL_INFO);
}

static void
secrets_are_never_printed(void **state UNUSED)
{
    struct capture capture = capture_begin();
    char line[LINE_SIZE];

    log_secret(SPAN("hunter2"));
    log_secret(SPAN("hunter2-and-more")); /* begins with another */
    log_secret(SPAN("with\"quote"));      /* would be escaped on its way out */
    log_secret(SPAN("abc"));              /* too short to hide */
    log_info(log_msg("key hunter2!"), log_str("url", "https://hunter2-and-more@host/hunter2"),
             log_str("q", "with\"quote"), log_str("abc", "abc"));
    CHECK_STR(without_time(capture_end(capture, line), "ts="),
              " level=info msg=\"key ***!\" url=https://***@host/*** q=*** abc=abc\n");
}

static void
redacts_a_text(void **state UNUSED)
{
    static const struct {
        const char *text;
        size_t size;
        const char *want;
    } cases[] = {
        {"nothing here", 64, "nothing here"},
        {"password=sesame;", 64, "password=***;"},
        {"sesame", 64, "***"},
        {"sesamesesame", 64, "******"},
        {"", 64, ""},
        {"abcdefgh", 5, "abcd"},
        {"ab sesame", 5, "ab *"}, /* cut after it was replaced, never before */
        {"abcdefgh", 1, ""},
    };

    log_secret(SPAN("sesame"));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char dst[64];

        CHECK_STR(log_redact(dst, cases[i].size, cases[i].text), cases[i].want);
    }
}

static void *
log_some(void *arg)
{
    for (int i = 0; i < 50; i++) {
        log_secret(SPAN("another secret"));
        log_info(log_msg("from a thread"), log_int("i", i), log_str("s", arg));
    }
    return NULL;
}

static void
threads_write_whole_lines(void **state UNUSED)
{
    struct capture capture = capture_begin();
    char text[LINE_SIZE], *line = text;
    pthread_t threads[3];
    char who[] = "x";

    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_create(&threads[i], NULL, log_some, who);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    capture_end(capture, text);
    for (int i = 0; i < 150; i++) {
        char *end = strchr(line, '\n');

        CHECK(end && strncmp(line, "ts=", 3) == 0 && strncmp(end - 4, " s=x", 4) == 0);
        line = end + 1;
    }
    CHECK_STR(line, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_logfmt),
        cmocka_unit_test(writes_json),
        cmocka_unit_test(a_json_line_is_json_whatever_is_logged),
        cmocka_unit_test(an_error_is_a_field),
        cmocka_unit_test(levels_select_lines),
        cmocka_unit_test(filters_choose_a_level),
        cmocka_unit_test(secrets_are_never_printed),
        cmocka_unit_test(redacts_a_text),
        cmocka_unit_test(threads_write_whole_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
