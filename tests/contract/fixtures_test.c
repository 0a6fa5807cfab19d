/*
 * Every file of tests/fixtures: rows go through the mapper and delivery into turbopuffer, and what
 * arrives at a peer is compared byte for byte.
 */
#include <glob.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "destinations/turbopuffer/turbopuffer.h"
#include "engine/delivery.h"
#include "fixture.h"
#include "harness/check.h"
#include "harness/scripted_http.h"
#include "local/server.h"
#include "net/http.h"
#include "state/sqlite.h"

#define FILES_MAX 200

/* SEMANTICS 5: the fixture may ask for an epoch. */
static uint64_t
epoch_of(const struct fixture *f)
{
    const struct json *epoch = json_get(f->json, "epoch");
    uint64_t n = 0;

    if (epoch && !json_to_uint(epoch, &n))
        fail_msg("%s: epoch", f->path);
    return n;
}

static void
deliver(struct fixture *f, struct scripted_http *peer, struct store *store)
{
    const struct opt_value values[] = {
        {.name = SPAN("api_key"), .value = SPAN("x")},
        {.name = SPAN("base_url"), .value = span_of(scripted_http_url(peer))},
    };
    CLEANUP(destination_closep) struct destination *destination = NULL;
    struct gate gate;
    struct counters counters;
    struct delivery delivery = {.store = store,
                                .gate = &gate,
                                .counters = &counters,
                                .journal_max_bytes = 1024,
                                .backoff = {.base_ms = 1, .cap_ms = 1}};
    struct err err;

    gate_init(&gate);
    gate_set(&gate, true);
    counters_init(&counters);
    CHECK_OK(destination_open(&turbopuffer_destination, values, 2, f->arena, &destination, &err),
             err);
    CHECK_OK(destination_lane_open(destination, &f->mapping, epoch_of(f), f->arena, &delivery.lane,
                                   &err),
             err);
    CHECK_OK(delivery_init(&delivery, false, &err), err);
    CHECK_OK(delivery_run(&delivery, f->batch, &err), err);
    delivery_done(&delivery);
    destination_lane_close(delivery.lane);
    counters_done(&counters);
    gate_done(&gate);
}

static void
compare_requests(const struct fixture *f, struct scripted_http *peer)
{
    size_t count = scripted_http_count(peer), wanted = fixture_count(f, "requests");

    for (size_t i = 0; i < count || i < wanted; i++) {
        struct span got = i < count ? scripted_http_request(peer, i).text : SPAN("(none)");
        struct span want = i < wanted ? fixture_request(f, i) : SPAN("(none)");

        if (span_eq(got, want))
            continue;
        /* Longer than what cmocka prints at once. */
        fprintf(stderr, "ERROR: %s: request %zu\ngot  %.*s\nwant %.*s\n", f->path, i, SPAN_ARG(got),
                SPAN_ARG(want));
        fail();
    }
}

/* An independent reader of the same bytes: the local server, which refuses what the service does.
 */
static void
send_to_local(struct scripted_http *peer, const struct fixture *f)
{
    const struct local_server_args args = {
        .listen = "127.0.0.1:0", .limits = limits_live, .journal_size = 1000};
    static const char *const headers[] = {"Authorization: Bearer x", NULL};
    CLEANUP(local_server_closep) struct local_server *server = NULL;
    CLEANUP(http_closep)
    struct http *http = http_open(&(struct http_settings){.connect_timeout_ms = 5000});
    CLEANUP(buf_free) struct buf url = buf_make(1000);
    struct err err;

    CHECK_OK(local_server_open(&args, &server, &err), err);
    buf_putf(&url, "%s/v2/namespaces/%s", local_server_url(server), f->mapping.target);
    for (size_t i = 0; i < scripted_http_count(peer); i++) {
        const struct span body = scripted_http_request(peer, i).text;
        const struct http_request request = {.method = "POST",
                                             .url = url.ptr,
                                             .headers = headers,
                                             .body = &body,
                                             .body_count = 1,
                                             .deadline_ms = clock_mono_ms() + 10000,
                                             .cancel_fd = -1};
        struct http_response response;

        CHECK_OK(http_send(http, &request, &response, &err), err);
        if (response.status != 200)
            fail_msg("%s: the local server says %.*s", f->path, SPAN_ARG(response.body));
    }
}

static void
compare_dead_letters(const struct fixture *f, struct store *store)
{
    const struct json *want = json_get(f->json, "dead_letters");
    struct store_dead_letter *letters;
    size_t count;
    struct err err;

    want = want ? want->first : NULL;
    CHECK_OK(store->type->dead_letters_list(store, &(struct store_dead_letter_filter){0}, f->arena,
                                            &letters, &count, &err),
             err);
    for (size_t i = 0; i < count; i++) {
        if (!want)
            fail_msg("%s: a dead letter: %s", f->path, letters[i].error);
        CHECK_SPAN(want->text, letters[i].error);
        want = want->next;
    }
    if (want)
        fail_msg("%s: no dead letter: %.*s", f->path, SPAN_ARG(want->text));
}

static void
run_fixture(void **state)
{
    CLEANUP(scripted_http_stopp) struct scripted_http *peer = scripted_http_start(NULL, 0);
    CLEANUP(store_closep) struct store *store = NULL;
    struct fixture f;
    struct err err;

    CHECK_OK(state_memory_open(&store, &err), err);
    fixture_load(&f, *state);
    deliver(&f, peer, store);
    compare_requests(&f, peer);
    compare_dead_letters(&f, store);
    send_to_local(peer, &f);
    fixture_done(&f);
}

/* A glob that finds nothing must not look like success. */
static void
there_are_fixtures(void **state)
{
    CHECK(*(size_t *)*state >= 10);
}

int
main(void)
{
    static struct CMUnitTest tests[FILES_MAX];
    static size_t count;
    glob_t found;
    int failed;

    log_set_level(LOG_LEVEL_ERROR);
    if (glob(TEST_SOURCE_ROOT "/tests/fixtures/*.json", 0, NULL, &found) != 0)
        return 1;
    for (; count < found.gl_pathc && count < FILES_MAX - 1; count++)
        tests[count] = (struct CMUnitTest){.name = strrchr(found.gl_pathv[count], '/') + 1,
                                           .test_func = run_fixture,
                                           .initial_state = found.gl_pathv[count]};
    tests[count] = (struct CMUnitTest){
        .name = "there_are_fixtures", .test_func = there_are_fixtures, .initial_state = &count};
    failed = _cmocka_run_group_tests("fixtures", tests, count + 1, NULL, NULL);
    globfree(&found);
    return failed;
}
