/* puffgres_status: puffgres status and puffgres dlq. */
#include <inttypes.h>

#include "base/number.h"
#include "cmd/puffgres.h"
#include "runner/look.h"
#include "runner/workspace.h"
#include "state/dead_letter_text.h"

#define TEXT_LIMIT MEGABYTES(64)

const struct opt puffgres_status_options[] = {
    {OPT_STRING(struct puffgres_status_settings, slot),
     .help = "Replication slot (default: the one that run used last)"},
    {OPT_BOOL(struct puffgres_status_settings, json), .fallback = "false", .help = "Print JSON"},
    {0},
};

const struct opt puffgres_dlq_list_options[] = {
    {OPT_STRING(struct puffgres_dlq_list_settings, mapping), .help = "Only those of this mapping"},
    {OPT_INT(struct puffgres_dlq_list_settings, limit), .fallback = "100", .min = 0,
     .max = 1000 * 1000, .help = "At most so many, 0 for all"},
    {OPT_BOOL(struct puffgres_dlq_list_settings, json), .fallback = "false", .help = "Print JSON"},
    {0},
};

const struct opt puffgres_dlq_show_options[] = {
    {OPT_BOOL(struct puffgres_dlq_show_settings, json), .fallback = "false", .help = "Print JSON"},
    {0},
};

int
puffgres_status(const struct invocation *invocation)
{
    CLEANUP(workspace_close) struct workspace ws = workspace_make(invocation->arena);
    CLEANUP(buf_free) struct buf out = buf_make(TEXT_LIMIT);
    const struct puffgres_status_settings *settings = invocation->settings;
    struct look *look = arena_new_of(invocation->arena, struct look);
    struct err err;

    if (!look_around(&ws, invocation->global.config, settings->slot, look, &err))
        return puffgres_fail(NULL, &err);
    if (settings->json)
        status_json(&look->status, invocation->arena, &out);
    else
        status_text(&look->status, invocation->arena, &out);
    return puffgres_print(&out);
}

/* ---- dead letters ---- */

/* The store, when there is one to ask; what to print instead when there is none. */
static bool
open_letters(struct workspace *ws, const char *config, struct err *err)
{
    if (!workspace_load(ws, config, err) || !workspace_open_store(ws, STATE_READ, err))
        return false;
    if (ws->state.backend == CONFIG_STATE_MEMORY)
        return err_set(err, ERR_CONFIG,
                       "the state is in the memory of run ([state] backend = \"memory\"): there "
                       "are no stored dead letters");
    return true;
}

static bool
load_list(struct workspace *ws, const struct puffgres_dlq_list_settings *settings,
          struct dead_letter_list *ret, struct err *err)
{
    const struct store_dead_letter_filter filter = {.mapping = settings->mapping,
                                                    .limit = settings->limit};
    struct store_dead_letter *letters = NULL;

    if (!ws->store)
        return true;
    if (!ws->store->type->dead_letters_list(ws->store, &filter, ws->arena, &letters, &ret->count,
                                            err))
        return false;
    ret->letters = letters;
    return ws->store->type->dead_letters_count(ws->store, settings->mapping, &ret->total, err);
}

/* A name that no mapping has, applied or not, is a typing error. */
static bool
check_mapping(struct workspace *ws, const char *name, struct err *err)
{
    if (!name || project_newest(&ws->project, name))
        return true;
    return err_set(err, ERR_CONFIG, "there is no mapping %s in this project", name);
}

int
puffgres_dlq_list(const struct invocation *invocation)
{
    CLEANUP(workspace_close) struct workspace ws = workspace_make(invocation->arena);
    CLEANUP(buf_free) struct buf out = buf_make(TEXT_LIMIT);
    const struct puffgres_dlq_list_settings *settings = invocation->settings;
    struct dead_letter_list list = {0};
    struct err err;

    if (!open_letters(&ws, invocation->global.config, &err) ||
        !load_list(&ws, settings, &list, &err) ||
        (list.total == 0 && !check_mapping(&ws, settings->mapping, &err)))
        return puffgres_fail(NULL, &err);
    if (settings->json)
        dead_letter_list_json(&list, invocation->arena, &out);
    else
        dead_letter_list_text(&list, invocation->arena, &out);
    return puffgres_print(&out);
}

static bool
read_id(const char *word, int64_t *ret, struct err *err)
{
    if (span_to_int(span_of(word), ret) && *ret >= 1)
        return true;
    return err_set(err, ERR_CONFIG,
                   "\"%s\" is no id of a dead letter; dlq list shows them in its first column",
                   word);
}

static bool
load_one(struct workspace *ws, int64_t id, struct store_dead_letter **ret, struct err *err)
{
    const struct store_dead_letter_filter filter = {.id = id, .limit = 1};
    size_t count = 0;

    if (ws->store &&
        !ws->store->type->dead_letters_list(ws->store, &filter, ws->arena, ret, &count, err))
        return false;
    if (count == 0)
        return err_set(err, ERR_CONFIG, "there is no dead letter %" PRId64 "; dlq list shows them",
                       filter.id);
    return true;
}

int
puffgres_dlq_show(const struct invocation *invocation)
{
    CLEANUP(workspace_close) struct workspace ws = workspace_make(invocation->arena);
    CLEANUP(buf_free) struct buf out = buf_make(TEXT_LIMIT);
    const struct puffgres_dlq_show_settings *settings = invocation->settings;
    struct store_dead_letter *letter;
    struct err err;
    int64_t id;

    if (!read_id(invocation->args[0], &id, &err)) {
        puffgres_fail(NULL, &err);
        return PUFFGRES_EXIT_USAGE;
    }
    if (!open_letters(&ws, invocation->global.config, &err) || !load_one(&ws, id, &letter, &err))
        return puffgres_fail(NULL, &err);
    if (settings->json)
        dead_letter_show_json(letter, invocation->arena, &out);
    else
        dead_letter_show_text(letter, invocation->arena, &out);
    return puffgres_print(&out);
}
