/* survey: the server and the destinations against the mappings, before anything runs. */
#include "runner/survey.h"

#include <assert.h>
#include <string.h>

#include "pg/catalog.h"
#include "project/fault.h"
#include "project/migration.h"
#include "source/preflight.h"

/* One survey on its way. */
struct work {
    const struct survey_args *args;
    struct arena *arena;
    struct report *report;
    struct survey *survey;
};

void
survey_done(struct survey *survey)
{
    pg_closep(&survey->pg);
}

/* ---- destinations ---- */

static struct destination *
destination_for(const struct survey_args *args, const struct mapping *mapping,
                struct report *report)
{
    size_t faults = report->count[SEVERITY_ERROR];
    struct destination *destination = NULL;
    struct err err;

    outlets_check(args->outlets, mapping->destination, report);
    if (report->count[SEVERITY_ERROR] != faults)
        return NULL;
    if (!outlets_get(args->outlets, mapping->destination, &destination, &err)) {
        fault_text(report, err.text);
        return NULL;
    }
    return destination;
}

/* The first mapping of a destination speaks for its settings. */
static bool
is_first_of_destination(const struct survey_args *args, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (strcmp(args->migrations[i]->mapping.destination,
                   args->migrations[at]->mapping.destination) == 0)
            return false;
    }
    return true;
}

void
survey_offline(const struct survey_args *args, struct report *report)
{
    for (size_t i = 0; i < args->count; i++) {
        if (is_first_of_destination(args, i))
            destination_for(args, &args->migrations[i]->mapping, report);
    }
}

static void
judge_destination(struct work *work, size_t at)
{
    const struct mapping *mapping = &work->args->migrations[at]->mapping;
    struct destination *destination = NULL;
    struct err err;

    if (is_first_of_destination(work->args, at))
        destination = destination_for(work->args, mapping, work->report);
    else if (!outlets_get(work->args->outlets, mapping->destination, &destination, &err))
        return; /* reported with the first one */
    if (destination && mapping->source && destination->type->check)
        destination->type->check(destination, mapping, work->report);
}

/* ---- tables ---- */

static void
add_table(struct survey *survey, const struct table *table)
{
    for (size_t i = 0; i < survey->table_count; i++) {
        if (survey->tables[i]->oid == table->oid)
            return;
    }
    survey->tables[survey->table_count++] = table;
}

static bool
bind_one(struct work *work, size_t at, struct err *err)
{
    struct mapping *mapping = &work->args->migrations[at]->mapping;
    const struct table *table;

    mapping->source = NULL;
    if (!catalog_table(work->survey->pg, mapping->schema, mapping->table, mapping->file,
                       work->arena, &table, work->report, err))
        return err_wrap(err, "mapping %s", mapping->name);
    if (!table)
        return true;
    work->survey->bound[at] = table;
    add_table(work->survey, table);
    if (!mapping_bind(mapping, table, work->arena, work->report))
        mapping->source = NULL;
    for (size_t i = 0; mapping->source && i < mapping->column_count; i++) {
        const struct table_column *column =
            table_column_find(table, span_of(mapping->columns[i].name));

        work->survey->spec.generated |= column && column->generated;
    }
    return true;
}

bool
survey_make(const struct survey_args *args, struct arena *arena, struct report *report,
            struct survey *ret, struct err *err)
{
    CLEANUP(survey_done) struct survey survey = {.count = args->count};
    struct work work = {args, arena, report, &survey};
    struct preflight preflight = {
        .settings = args->settings, .spec = &survey.spec, .create_slot = args->create_slot};

    if (!pg_connect(&(struct pg_connect_args){.conninfo = args->settings->conninfo,
                                              .purpose = "catalog",
                                              .deadline_ms = args->deadline_ms,
                                              .cancel_fd = args->cancel_fd},
                    &survey.pg, err))
        return false;
    survey.bound = arena_new_n(arena, const struct table *, args->count);
    survey.tables = arena_new_n(arena, const struct table *, args->count);
    for (size_t i = 0; i < args->count; i++) {
        if (!bind_one(&work, i, err))
            return false;
        judge_destination(&work, i);
    }
    survey.spec.name = args->settings->publication;
    survey.spec.tables = survey.tables;
    survey.spec.count = survey.table_count;
    survey.spec.all_tables = args->all_tables;
    if (!preflight_check(survey.pg, &preflight, arena, report, err))
        return false;
    *ret = survey;
    survey.pg = NULL;
    return true;
}
