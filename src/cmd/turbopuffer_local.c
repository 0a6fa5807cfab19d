/* turbopuffer_local: a turbopuffer-compatible server in memory, for tests and trying out. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/opt.h"
#include "local/limits.h"
#include "local/server.h"

#define EXIT_USAGE  64 /* sysexits.h */
#define EXIT_CONFIG 78

enum limits_word { LIMITS_LIVE, LIMITS_SMALL };

static const char *const limits_words[] = {"live", "small", NULL};

struct settings {
    const char *listen;
    int64_t latency_ms;
    int64_t journal_size;
    int limits;
    int64_t limit_request, limit_document, limit_attribute, limit_filterable;
};

#define BYTES_MAX ((int64_t)1024 * 1024 * 1024)

static const struct opt options[] = {
    {OPT_STRING(struct settings, listen), .fallback = "127.0.0.1:0",
     .help = "HOST:PORT to listen on; port 0 takes a free one"},
    {OPT_INT(struct settings, latency_ms), .fallback = "0", .min = 0, .max = 60000,
     .help = "How much longer every answer takes, in milliseconds"},
    {OPT_INT(struct settings, journal_size), .fallback = "100000", .min = 1, .max = 100000000,
     .help = "Entries the journal keeps"},
    {OPT_WORD(struct settings, limits), .fallback = "live", .words = limits_words,
     .help = "Sizes of the live service, or small ones for tests: live, small"},
    {OPT_BYTES(struct settings, limit_request), .min = 1, .max = BYTES_MAX,
     .help = "Largest request body, as in 64KiB"},
    {OPT_BYTES(struct settings, limit_document), .min = 1, .max = BYTES_MAX,
     .help = "Largest document"},
    {OPT_BYTES(struct settings, limit_attribute), .min = 1, .max = BYTES_MAX,
     .help = "Largest value of an attribute"},
    {OPT_BYTES(struct settings, limit_filterable), .min = 1, .max = BYTES_MAX,
     .help = "Largest value of a filterable attribute"},
    {0},
};

/* ---- the command line ---- */

static void
print_help(void)
{
    printf("Usage: turbopuffer-local [OPTIONS]\n\n"
           "A turbopuffer-compatible server that keeps its documents in memory.\n\nOptions:\n");
    for (const struct opt *option = options; option->type != OPT_TYPE_END; option++) {
        char flag[32];
        size_t n = 0;

        for (; option->name[n] && n < sizeof(flag) - 1; n++)
            flag[n] = option->name[n] == '_' ? '-' : option->name[n];
        flag[n] = '\0';
        printf("  --%-18s %s%s%s%s\n", flag, option->help, option->fallback ? " [" : "",
               option->fallback ? option->fallback : "", option->fallback ? "]" : "");
    }
    printf("  -h, --%-14s Print this help\n  -V, --%-14s Print the version\n", "help", "version");
}

/* -h and -V anywhere win over everything else. */
static bool
answers_at_once(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
            print_help();
            return true;
        }
        if (strcmp(argv[i], "-V") == 0 || strcmp(argv[i], "--version") == 0) {
            printf("turbopuffer-local %s\n", WALLABY_VERSION);
            return true;
        }
    }
    return false;
}

/* "--name value" and "--name=value"; moves *at behind what it took. */
static bool
take_option(int argc, char **argv, int *at, struct opt_value *ret, struct err *err)
{
    const char *arg = argv[*at];
    const char *equals = strchr(arg, '=');

    if (strncmp(arg, "--", 2) != 0)
        return err_set(err, ERR_CONFIG, "\"%s\" is no option; see --help", arg);
    *ret = (struct opt_value){.name = span_of(arg + 2)};
    *at += 1;
    if (equals) {
        ret->name.len = (size_t)(equals - arg - 2);
        ret->value = span_of(equals + 1);
        return true;
    }
    if (*at == argc)
        return err_set(err, ERR_CONFIG, "%s needs a value", arg);
    ret->value = span_of(argv[(*at)++]);
    return true;
}

static bool
read_command_line(int argc, char **argv, struct arena *arena, struct settings *ret, struct err *err)
{
    struct opt_value *values = arena_new_n(arena, struct opt_value, (size_t)argc);
    size_t count = 0;

    for (int at = 1; at < argc; count++) {
        if (!take_option(argc, argv, &at, &values[count], err))
            return false;
    }
    return opt_load(options, ret, values, count, arena, err);
}

static struct limits
chosen_limits(const struct settings *settings)
{
    struct limits limits = settings->limits == LIMITS_SMALL ? limits_small : limits_live;
    const struct {
        size_t *limit;
        int64_t given; /* 0: not given */
    } single[] = {
        {&limits.request_bytes, settings->limit_request},
        {&limits.document_bytes, settings->limit_document},
        {&limits.attribute_bytes, settings->limit_attribute},
        {&limits.filterable_bytes, settings->limit_filterable},
    };

    for (size_t i = 0; i < ARRAY_LEN(single); i++) {
        if (single[i].given)
            *single[i].limit = (size_t)single[i].given;
    }
    return limits;
}

/* ---- running ---- */

/* Blocked before there are threads, so that only sigwait() sees them. */
static sigset_t
block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return set;
}

static bool
serve(const struct settings *settings, struct err *err)
{
    struct local_server_args args = {
        .listen = settings->listen,
        .limits = chosen_limits(settings),
        .latency_ms = settings->latency_ms,
        .journal_size = settings->journal_size,
    };
    CLEANUP(local_server_closep) struct local_server *server = NULL;
    sigset_t signals = block_signals();
    int received;

    if (!local_server_open(&args, &server, err))
        return false;
    printf("listening on %s\n", local_server_url(server));
    fflush(stdout);
    sigwait(&signals, &received);
    return true;
}

int
main(int argc, char **argv)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("settings");
    struct settings settings = {0};
    struct err err = {0};

    if (answers_at_once(argc, argv))
        return EXIT_SUCCESS;
    if (!read_command_line(argc, argv, arena, &settings, &err)) {
        fprintf(stderr, "turbopuffer-local: %s\n", err.text);
        return EXIT_USAGE;
    }
    if (!serve(&settings, &err)) {
        fprintf(stderr, "turbopuffer-local: %s\n", err.text);
        return EXIT_CONFIG;
    }
    return EXIT_SUCCESS;
}
