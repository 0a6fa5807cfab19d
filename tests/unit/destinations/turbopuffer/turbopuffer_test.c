/* turbopuffer: settings, and whole writes against a scripted peer. */
#include "destinations/turbopuffer/turbopuffer.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "harness/check.h"
#include "harness/scripted_http.h"
#include "harness/target.h"

#define KEY "tpuf_secret_1234"

static const struct target_column columns[] = {
    {.name = "id", .kind = TYPE_INT8},
    {.name = "name", .kind = TYPE_TEXT},
};

/* A destination with one lane, and its peer. */
struct bench {
    struct arena *arena, *scratch;
    struct scripted_http *peer;
    struct mapping *mapping;
    struct destination *destination;
    struct destination_lane *lane;
    struct destination_result result;
    struct err err;
};

static bool
open_with(struct arena *arena, const struct opt_value *values, size_t count,
          struct destination **ret, struct err *err)
{
    return destination_open(&turbopuffer_destination, values, count, arena, ret, err);
}

static void
bench_open(struct bench *b, const struct scripted_step *steps, size_t count)
{
    *b = (struct bench){.arena = arena_new("test"), .scratch = arena_new("scratch")};
    b->peer = scripted_http_start(steps, count);
    b->mapping = target_mapping(b->arena, columns, 2);
    {
        const struct opt_value values[] = {
            {.name = SPAN("api_key"), .value = SPAN(KEY)},
            {.name = SPAN("base_url"), .value = span_of(scripted_http_url(b->peer))},
        };

        CHECK_OK(open_with(b->arena, values, 2, &b->destination, &b->err), b->err);
    }
    CHECK_OK(destination_lane_open(b->destination, b->mapping, 0, b->arena, &b->lane, &b->err),
             b->err);
}

static void
bench_close(struct bench *b)
{
    destination_lane_close(b->lane);
    destination_close(b->destination);
    scripted_http_stop(b->peer);
    arena_free(b->scratch);
    arena_free(b->arena);
}

static bool
bench_write(struct bench *b, const struct action *actions, size_t count, int64_t timeout_ms,
            int cancel_fd)
{
    const struct destination_write write = {
        .actions = actions,
        .count = count,
        .scratch = b->scratch,
        .deadline_ms = clock_mono_ms() + timeout_ms,
        .cancel_fd = cancel_fd,
    };

    b->result = (struct destination_result){0};
    b->err = (struct err){0};
    return turbopuffer_destination.write(b->lane, &write, &b->result, &b->err);
}

static struct action
one(struct bench *b)
{
    return target_upsert(b->arena, b->mapping, ((struct position){100, 1}), "1", "a");
}

/* ---- settings ---- */

static void
refuses_bad_settings_by_name(void **state UNUSED)
{
    static const struct {
        const char *api_key, *region, *base_url;
        const char *want;
    } cases[] = {
        {NULL, NULL, NULL, "destination turbopuffer: option api_key is required"},
        {"", NULL, NULL,
         "destination turbopuffer: option api_key: it is empty or too long to be one"},
        {"a b", NULL, NULL,
         "destination turbopuffer: option api_key: it has a blank or a character that no key has"},
        {"a\r\nX: y", NULL, NULL,
         "destination turbopuffer: option api_key: it has a blank or a character that no key has"},
        {KEY, "eu west", NULL,
         "destination turbopuffer: option region: \"eu west\" is no region; they are written like "
         "gcp-us-central1"},
        {KEY, NULL, "ftp://x",
         "destination turbopuffer: option base_url: \"ftp://x\" is not an http(s) URL"},
        {KEY, NULL, "https://me:pw@x",
         "destination turbopuffer: option base_url: write scheme, host, port and path only"},
        {KEY, "aws-eu-west-1", "https://x",
         "destination turbopuffer: option region: base_url has no {region} to put it; leave one of "
         "them out"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct opt_value values[3];
        struct destination *destination = NULL;
        struct err err;
        size_t n = 0;

        if (cases[i].api_key)
            values[n++] =
                (struct opt_value){.name = SPAN("api_key"), .value = span_of(cases[i].api_key)};
        if (cases[i].region)
            values[n++] =
                (struct opt_value){.name = SPAN("region"), .value = span_of(cases[i].region)};
        if (cases[i].base_url)
            values[n++] =
                (struct opt_value){.name = SPAN("base_url"), .value = span_of(cases[i].base_url)};
        CHECK_FAILS(open_with(arena, values, n, &destination, &err), err, ERR_CONFIG,
                    cases[i].want);
        CHECK(!destination);
    }
}

static void
check_says_what_is_wrong_before_anything_runs(void **state UNUSED)
{
    static const struct opt_value values[] = {
        {.name = SPAN_INIT("api_key"), .value = SPAN_INIT(KEY)},
        {.name = SPAN_INIT("base_url"), .value = SPAN_INIT("http://turbopuffer.example:80/")},
    };
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(destination_closep) struct destination *destination = NULL;
    CLEANUP(buf_free) struct buf out = buf_make(10000);
    struct mapping *mapping = target_mapping(arena, columns, 2);
    struct report report = report_make(arena);
    struct err err;

    CHECK_OK(open_with(arena, values, 2, &destination, &err), err);
    mapping->target = "a b";
    turbopuffer_destination.check(destination, mapping, &report);
    report_print(&report, &out);
    CHECK_STR(out.ptr, "warning: turbopuffer: base_url is http: the API key and all rows travel "
                       "unencrypted\n"
                       "error: puffgres/migrations/001_items.toml: mapping items: \"a b\" cannot "
                       "be a namespace; it has 1 to 128 letters, "
                       "digits, - _ and .\n"
                       "note: puffgres/migrations/001_items.toml: mapping items: column name "
                       "(text): a value over 4 KiB becomes a dead letter "
                       "while the attribute is filterable\n"
                       "    [target.schema] name = { filterable = false }\n");
}

static void
tells_the_types_of_its_attributes(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(buf_free) struct buf out = buf_make(1000);
    struct mapping *mapping = target_mapping(arena, columns, 2);
    struct err err;

    CHECK_OK(turbopuffer_destination.attributes(NULL, mapping, &out, &err), err);
    CHECK_STR(out.ptr, "{\"id\":\"uint\",\"name\":{\"type\":\"string\"},"
                       "\"__source_lsn\":\"uint\",\"__source_seq\":\"uint\"}");
}

static void
a_lane_of_a_bad_mapping_does_not_open(void **state UNUSED)
{
    static const struct opt_value values[] = {
        {.name = SPAN_INIT("api_key"), .value = SPAN_INIT(KEY)}};
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(destination_closep) struct destination *destination = NULL;
    struct mapping *mapping = target_mapping(arena, columns, 2);
    struct destination_lane *lane = NULL;
    struct err err;

    CHECK_OK(open_with(arena, values, 1, &destination, &err), err);
    mapping->target = "a b";
    CHECK_FAILS(destination_lane_open(destination, mapping, 0, arena, &lane, &err), err, ERR_CONFIG,
                "mapping items: \"a b\" cannot be a namespace; it has 1 to 128 letters, digits, - "
                "_ and .");
    CHECK(!lane);
}

/* ---- writing ---- */

static void
sends_what_it_renders(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf rendered = buf_make(100000);
    struct scripted_request request;
    struct action action;
    struct bench b;

    bench_open(&b, NULL, 0);
    action = one(&b);
    CHECK_OK(bench_write(&b, &action, 1, 5000, -1), b.err);
    CHECK_INT(b.result.requests, 1);
    CHECK(!b.result.unknown);

    request = scripted_http_request(b.peer, 0);
    CHECK(strncmp(request.head.ptr, "POST /v2/namespaces/items HTTP/1.1\r\n", 36) == 0);
    CHECK(scripted_request_has(&request, "authorization: Bearer " KEY));
    CHECK(scripted_request_has(&request, "content-type: application/json"));
    {
        const struct destination_write write = {
            .actions = &action, .count = 1, .scratch = b.scratch};

        CHECK_OK(turbopuffer_destination.render(b.lane, &write, &rendered, &b.err), b.err);
    }
    CHECK_INT(b.result.bytes, request.body.len);
    CHECK(rendered.len == request.text.len + 1 &&
          memcmp(rendered.ptr, request.text.ptr, request.text.len) == 0);
    bench_close(&b);
}

static void
does_not_ask_for_asynchronous_answers(void **state UNUSED)
{
    struct scripted_request request;
    struct action action;
    struct bench b;

    bench_open(&b, NULL, 0);
    action = one(&b);
    CHECK_OK(bench_write(&b, &action, 1, 5000, -1), b.err);
    request = scripted_http_request(b.peer, 0);
    CHECK(!memmem(request.head.ptr, request.head.len, "Prefer", 6));
    bench_close(&b);
}

static void
compresses_over_a_kibibyte(void **state UNUSED)
{
    static char text[3000];
    struct scripted_request request;
    struct action action;
    struct bench b;

    memset(text, 'x', sizeof(text) - 1);
    bench_open(&b, NULL, 0);
    action = target_upsert(b.arena, b.mapping, ((struct position){100, 1}), "1", text);
    CHECK_OK(bench_write(&b, &action, 1, 5000, -1), b.err);
    request = scripted_http_request(b.peer, 0);
    CHECK(scripted_request_has(&request, "content-encoding: gzip"));
    CHECK(request.body.len < 1500 && request.text.len > 3000);
    bench_close(&b);
}

static void
rule_18_truncate_goes_on_while_rows_remain(void **state UNUSED)
{
    static const struct scripted_step steps[] = {
        {.body = "{\"status\":\"OK\",\"rows_deleted\":5000000,\"rows_remaining\":true}"},
        {.body = "{\"status\":\"OK\",\"rows_deleted\":5000000,\"rows_remaining\":true}"},
        {.body = "{\"status\":\"OK\",\"rows_deleted\":3}"},
    };
    const struct action action = target_truncate((struct position){100, 1});
    struct bench b;

    bench_open(&b, steps, ARRAY_LEN(steps));
    CHECK_OK(bench_write(&b, &action, 1, 5000, -1), b.err);
    CHECK_INT(b.result.requests, 3);
    CHECK(span_eq(scripted_http_request(b.peer, 0).text, scripted_http_request(b.peer, 2).text));
    bench_close(&b);
}

static void
a_retry_sends_the_identical_body(void **state UNUSED)
{
    static const struct scripted_step steps[] = {{.status = 503, .body = "later"}};
    struct action action;
    struct bench b;

    bench_open(&b, steps, 1);
    action = one(&b);
    CHECK(!bench_write(&b, &action, 1, 5000, -1));
    CHECK_OK(bench_write(&b, &action, 1, 5000, -1), b.err);
    CHECK(span_eq(scripted_http_request(b.peer, 0).body, scripted_http_request(b.peer, 1).body));
    CHECK_INT(scripted_http_request(b.peer, 1).connection, 1);
    bench_close(&b);
}

static void
failures_say_what_and_where(void **state UNUSED)
{
    static const struct {
        struct scripted_step step;
        enum err_kind kind;
        bool unknown;
        int64_t retry_after_ms;
        const char *want;
    } cases[] = {
        {{.status = 429,
          .headers = "Retry-After: 3\r\n",
          .body = "{\"status\":\"error\",\"error\":\"too fast\"}"},
         ERR_TRANSIENT,
         false,
         3000,
         "namespace items: turbopuffer answered 429: too fast (throttled)"},
        {{.status = 503, .headers = "retry-after-ms: 50\r\n", .body = "x"},
         ERR_TRANSIENT,
         true,
         50,
         "namespace items: turbopuffer answered 503: x"},
        {{.status = 400, .body = "no " KEY " no"},
         ERR_DATA,
         false,
         0,
         "namespace items: turbopuffer answered 400: no * no"},
        {{.status = 301, .headers = "Location: http://127.0.0.1:1/\r\n", .body = "moved"},
         ERR_CONFIG,
         false,
         0,
         "namespace items: turbopuffer answered 301: moved (redirected: is base_url right?)"},
        {{.deed = SCRIPT_DROP}, ERR_TRANSIENT, true, 0, NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct action action;
        struct bench b;

        bench_open(&b, &cases[i].step, 1);
        action = one(&b);
        CHECK(!bench_write(&b, &action, 1, 5000, -1));
        if (cases[i].want)
            CHECK_STR(b.err.text, cases[i].want);
        CHECK_INT(b.err.kind, cases[i].kind);
        CHECK_INT(b.result.unknown, cases[i].unknown);
        CHECK_INT(b.result.retry_after_ms, cases[i].retry_after_ms);
        CHECK_INT(scripted_http_count(b.peer), 1);
        bench_close(&b);
    }
}

static void
rule_19_a_peer_that_is_not_there_leaves_no_doubt(void **state UNUSED)
{
    static const struct opt_value values[] = {
        {.name = SPAN_INIT("api_key"), .value = SPAN_INIT(KEY)},
        {.name = SPAN_INIT("base_url"), .value = SPAN_INIT("http://127.0.0.1:1")},
    };
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(destination_closep) struct destination *destination = NULL;
    struct bench b = {.arena = arena, .mapping = target_mapping(arena, columns, 2)};
    struct action action = one(&b);

    CHECK_OK(open_with(arena, values, 2, &destination, &b.err), b.err);
    CHECK_OK(destination_lane_open(destination, b.mapping, 0, arena, &b.lane, &b.err), b.err);
    CHECK(!bench_write(&b, &action, 1, 5000, -1));
    CHECK_INT(b.err.kind, ERR_TRANSIENT);
    CHECK(!b.result.unknown);
    CHECK(!strstr(b.err.text, KEY));
    destination_lane_close(b.lane);
}

static void
rule_19_a_timeout_is_of_unknown_outcome(void **state UNUSED)
{
    static const struct scripted_step steps[] = {{.deed = SCRIPT_HANG}};
    struct action action;
    struct bench b;
    int64_t begin = clock_mono_ms();

    bench_open(&b, steps, 1);
    action = one(&b);
    CHECK(!bench_write(&b, &action, 1, 150, -1));
    CHECK_INT(b.err.kind, ERR_TRANSIENT);
    CHECK(b.result.unknown);
    CHECK(clock_mono_ms() - begin < 3000);
    bench_close(&b);
}

static void *
cancel_soon(void *fd)
{
    usleep(50 * 1000);
    eventfd_write(*(int *)fd, 1);
    return NULL;
}

static void
rule_10_a_cut_request_is_of_unknown_outcome(void **state UNUSED)
{
    static const struct scripted_step steps[] = {{.deed = SCRIPT_HANG}};
    struct action action;
    struct bench b;
    pthread_t thread;
    int fd = eventfd(0, EFD_CLOEXEC);

    bench_open(&b, steps, 1);
    action = one(&b);
    pthread_create(&thread, NULL, cancel_soon, &fd);
    CHECK(!bench_write(&b, &action, 1, 5000, fd));
    pthread_join(thread, NULL);
    CHECK_INT(b.err.kind, ERR_CANCELED);
    CHECK(b.result.unknown);

    /* Canceled already: nothing leaves us, and there is no doubt. */
    CHECK(!bench_write(&b, &action, 1, 5000, fd));
    CHECK_INT(b.err.kind, ERR_CANCELED);
    CHECK(!b.result.unknown);
    close(fd);
    bench_close(&b);
}

static void
a_row_that_cannot_be_rendered_sends_nothing(void **state UNUSED)
{
    static char text[5000];
    struct action action;
    struct bench b;

    memset(text, 'x', sizeof(text) - 1);
    bench_open(&b, NULL, 0);
    action = target_upsert(b.arena, b.mapping, ((struct position){100, 1}), "1", text);
    CHECK(!bench_write(&b, &action, 1, 5000, -1));
    CHECK_INT(b.err.kind, ERR_DATA);
    CHECK_INT(b.result.requests, 0);
    CHECK_INT(scripted_http_count(b.peer), 0);
    bench_close(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_settings_by_name),
        cmocka_unit_test(check_says_what_is_wrong_before_anything_runs),
        cmocka_unit_test(tells_the_types_of_its_attributes),
        cmocka_unit_test(a_lane_of_a_bad_mapping_does_not_open),
        cmocka_unit_test(sends_what_it_renders),
        cmocka_unit_test(does_not_ask_for_asynchronous_answers),
        cmocka_unit_test(compresses_over_a_kibibyte),
        cmocka_unit_test(rule_18_truncate_goes_on_while_rows_remain),
        cmocka_unit_test(a_retry_sends_the_identical_body),
        cmocka_unit_test(failures_say_what_and_where),
        cmocka_unit_test(rule_19_a_peer_that_is_not_there_leaves_no_doubt),
        cmocka_unit_test(rule_19_a_timeout_is_of_unknown_outcome),
        cmocka_unit_test(rule_10_a_cut_request_is_of_unknown_outcome),
        cmocka_unit_test(a_row_that_cannot_be_rendered_sends_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
