/* stdout: its lines, and what happens when nobody reads them. */
#include "destinations/stdout/stdout.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "harness/check.h"
#include "harness/target.h"

static const struct target_column columns[] = {
    {.name = "id", .kind = TYPE_INT8},       {.name = "name", .kind = TYPE_TEXT},
    {.name = "price", .kind = TYPE_NUMERIC}, {.name = "ok", .kind = TYPE_BOOL},
    {.name = "doc", .kind = TYPE_JSON},      {.name = "tags", .kind = TYPE_TEXT, .array = true},
    {.name = "raw", .kind = TYPE_BYTEA},
};

struct bench {
    struct arena *arena;
    struct mapping *mapping;
    struct destination *destination;
    struct destination_lane *lane;
};

static void
bench_open(struct bench *b)
{
    struct err err;

    *b = (struct bench){.arena = arena_new("test")};
    b->mapping = target_mapping(b->arena, columns, ARRAY_LEN(columns));
    CHECK_OK(destination_open(&stdout_destination, NULL, 0, b->arena, &b->destination, &err), err);
    CHECK_OK(destination_lane_open(b->destination, b->mapping, 0, b->arena, &b->lane, &err), err);
}

static void
bench_close(struct bench *b)
{
    destination_lane_close(b->lane);
    destination_close(b->destination);
    arena_free(b->arena);
}

static bool
bench_write(struct bench *b, const struct action *actions, size_t count, int64_t timeout_ms,
            int cancel_fd, struct err *err)
{
    const struct destination_write write = {
        .actions = actions,
        .count = count,
        .deadline_ms = clock_mono_ms() + timeout_ms,
        .cancel_fd = cancel_fd,
    };
    struct destination_result result = {0};

    return stdout_destination.write(b->lane, &write, &result, err);
}

/* ---- the descriptor, replaced for a while (the test's own report goes there too) ---- */

static int
replace_stdout(int fd)
{
    int saved = dup(STDOUT_FILENO);

    CHECK(saved >= 0 && dup2(fd, STDOUT_FILENO) == STDOUT_FILENO);
    return saved;
}

static void
restore_stdout(int saved)
{
    dup2(saved, STDOUT_FILENO);
    close(saved);
}

/* ---- lines ---- */

static void
writes_a_line_per_action(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = buf_make(10000);
    struct err err;
    struct bench b;

    bench_open(&b);
    {
        const struct action actions[] = {
            target_upsert(b.arena, b.mapping, ((struct position){0x16B3748, 1}), "7", "a\"b\n",
                          "1.10", "t", "{\"x\":\n[1]}", "{a,NULL}", "\\x666f6f"),
            target_upsert(b.arena, b.mapping, ((struct position){0x16B3748, 2}), "8", "\\N", "NaN",
                          "f", "\\N", "{broken", "text"),
            target_delete(b.arena, b.mapping, ((struct position){0x16B3790, 1}), "7"),
            target_truncate((struct position){UINT64_C(0x1016B37F0), 2}),
        };
        const struct destination_write write = {.actions = actions, .count = ARRAY_LEN(actions)};

        CHECK_OK(stdout_destination.render(b.lane, &write, &out, &err), err);
    }
    CHECK_STR(out.ptr,
              "{\"op\":\"upsert\",\"mapping\":\"items\",\"id\":7,\"lsn\":\"0/16B3748\",\"seq\":1,"
              "\"attributes\":{\"name\":\"a\\\"b\\n\",\"price\":1.10,\"ok\":true,"
              "\"doc\":{\"x\": [1]},\"tags\":[\"a\",null],\"raw\":\"Zm9v\"}}\n"
              "{\"op\":\"upsert\",\"mapping\":\"items\",\"id\":8,\"lsn\":\"0/16B3748\",\"seq\":2,"
              "\"attributes\":{\"name\":null,\"price\":\"NaN\",\"ok\":false,\"doc\":null,"
              "\"tags\":\"{broken\",\"raw\":\"text\"}}\n"
              "{\"op\":\"delete\",\"mapping\":\"items\",\"id\":7,\"lsn\":\"0/16B3790\",\"seq\":1}\n"
              "{\"op\":\"truncate\",\"mapping\":\"items\",\"lsn\":\"1/16B37F0\",\"seq\":2}\n");
    bench_close(&b);
}

/* ---- writing ---- */

struct sink {
    int fd;
    struct buf got;
};

static void *
drain_slowly(void *user)
{
    struct sink *sink = user;
    char chunk[1500];
    ssize_t n;

    while ((n = read(sink->fd, chunk, sizeof(chunk))) > 0)
        buf_put(&sink->got, (struct span){chunk, (size_t)n});
    return NULL;
}

static void
writes_everything_into_a_slow_pipe(void **state UNUSED)
{
    enum { ROWS = 20000 };
    CLEANUP(buf_free) struct buf want = buf_make(MEGABYTES(16));
    struct sink sink = {.got = buf_make(MEGABYTES(16))};
    struct action *actions;
    struct err err = {0};
    pthread_t thread;
    struct bench b;
    int fds[2], saved;
    bool ok;

    bench_open(&b);
    actions = arena_new_n(b.arena, struct action, ROWS);
    for (size_t i = 0; i < ROWS; i++)
        actions[i] = target_delete(b.arena, b.mapping, ((struct position){1, i + 1}), "7");
    {
        const struct destination_write write = {.actions = actions, .count = ROWS};

        CHECK_OK(stdout_destination.render(b.lane, &write, &want, &err), err);
    }
    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    sink.fd = fds[0];
    pthread_create(&thread, NULL, drain_slowly, &sink);
    saved = replace_stdout(fds[1]);
    close(fds[1]);
    ok = bench_write(&b, actions, ROWS, 20000, -1, &err);
    restore_stdout(saved);
    pthread_join(thread, NULL);
    close(fds[0]);

    CHECK_OK(ok, err);
    CHECK(span_eq(buf_span(&sink.got), buf_span(&want)));
    buf_free(&sink.got);
    bench_close(&b);
}

static void
a_reader_that_went_away_is_a_configuration_error(void **state UNUSED)
{
    struct err err = {0};
    struct action action;
    struct bench b;
    int fds[2], saved;
    bool ok;

    bench_open(&b);
    action = target_truncate((struct position){1, 1});
    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    close(fds[0]);
    saved = replace_stdout(fds[1]);
    ok = bench_write(&b, &action, 1, 1000, -1, &err);
    restore_stdout(saved);
    close(fds[1]);
    CHECK_FAILS(ok, err, ERR_CONFIG, "writing to the standard output: Broken pipe");
    bench_close(&b);
}

/* Fills a pipe until it takes no more. */
static void
fill(int fd)
{
    char chunk[4096] = {0};
    int flags = fcntl(fd, F_GETFL);

    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    while (write(fd, chunk, sizeof(chunk)) > 0)
        ;
    fcntl(fd, F_SETFL, flags);
}

static void
a_reader_that_sleeps_blocks_neither_stop_nor_deadline(void **state UNUSED)
{
    static const struct {
        bool cancel;
        enum err_kind kind;
        const char *want;
    } cases[] = {
        {true, ERR_CANCELED, "canceled"},
        {false, ERR_TRANSIENT, "nobody reads the standard output"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        struct action action = target_truncate((struct position){1, 1});
        struct bench b;
        int fds[2], saved, cancel_fd = eventfd(cases[i].cancel, EFD_CLOEXEC);
        bool ok;

        bench_open(&b);
        CHECK(pipe2(fds, O_CLOEXEC) == 0);
        fill(fds[1]);
        saved = replace_stdout(fds[1]);
        ok = bench_write(&b, &action, 1, 100, cancel_fd, &err);
        restore_stdout(saved);
        close(fds[0]);
        close(fds[1]);
        close(cancel_fd);
        CHECK_FAILS(ok, err, cases[i].kind, cases[i].want);
        bench_close(&b);
    }
}

/* A write that gives up before a reader that sleeps, and one that finishes; what was read. */
static void
write_twice(struct bench *b, const struct action *actions, size_t count, struct sink *sink)
{
    struct err err = {0}, ignored;
    pthread_t thread;
    int fds[2], saved;
    bool first, second;

    sink->got = buf_make(MEGABYTES(16));
    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    saved = replace_stdout(fds[1]);
    first = bench_write(b, actions, count, 100, -1, &ignored); /* the pipe takes 64 KiB */
    sink->fd = fds[0];
    pthread_create(&thread, NULL, drain_slowly, sink);
    second = bench_write(b, actions, count, 20000, -1, &err);
    restore_stdout(saved);
    close(fds[1]);
    pthread_join(thread, NULL);
    close(fds[0]);
    CHECK(!first);
    CHECK_OK(second, err);
}

static size_t
broken_lines(struct span text)
{
    size_t broken = 0;

    while (text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;

        broken += len == 0 || text.ptr[len - 1] != '}';
        text = span_skip(text, end ? len + 1 : len);
    }
    return broken;
}

static void
a_stop_tears_no_short_line(void **state UNUSED)
{
    enum { ROWS = 2000 };
    struct action *actions;
    struct sink sink;
    struct bench b;

    bench_open(&b);
    actions = arena_new_n(b.arena, struct action, ROWS);
    for (size_t i = 0; i < ROWS; i++)
        actions[i] = target_delete(b.arena, b.mapping, ((struct position){1, i + 1}), "7");
    write_twice(&b, actions, ROWS, &sink);
    CHECK_INT(broken_lines(buf_span(&sink.got)), 0);
    buf_free(&sink.got);
    bench_close(&b);
}

static void
a_torn_line_is_ended_before_the_next(void **state UNUSED)
{
    static char text[100000]; /* more than the pipe takes */
    struct action action;
    struct sink sink;
    struct bench b;

    memset(text, 'x', sizeof(text) - 1);
    bench_open(&b);
    action = target_upsert(b.arena, b.mapping, ((struct position){1, 1}), "7", text, "1", "t", "1",
                           "{}", "\\x");
    write_twice(&b, &action, 1, &sink);
    CHECK_INT(broken_lines(buf_span(&sink.got)), 1);
    CHECK(strstr(sink.got.ptr, "x\n{\"op\":\"upsert\""));
    buf_free(&sink.got);
    bench_close(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_line_per_action),
        cmocka_unit_test(writes_everything_into_a_slow_pipe),
        cmocka_unit_test(a_reader_that_went_away_is_a_configuration_error),
        cmocka_unit_test(a_reader_that_sleeps_blocks_neither_stop_nor_deadline),
        cmocka_unit_test(a_stop_tears_no_short_line),
        cmocka_unit_test(a_torn_line_is_ended_before_the_next),
    };

    setvbuf(stdout, NULL, _IONBF, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
