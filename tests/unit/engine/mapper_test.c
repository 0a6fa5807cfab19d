/* mapper: rows in, actions out; every case is a line of text on both sides. */
#include "engine/mapper.h"

#include "harness/check.h"
#include "model/predicate.h"

/*
 * Rows and actions are written as text.  A row:
 *
 *     I 1|ann|long|t          insert, columns id|name|body|active
 *     U 1|ann|~|t < 1|~|~|~   update with an old image; ~ was not carried, \N is null
 *     D 1|~|~|~               delete of an old image
 *     T                       truncate
 *
 * with ":old" or ":new" behind the letter for one half of a key change, and "k" for an old image
 * that is the key only.  An action: "upsert 1=1|ann|long|t", "delete 1", "truncate", "error text".
 */

#define COLUMNS   4
#define ROWS_MAX  16
#define TEXT_MAX  4096
#define LSN_START 100

static const char *const column_names[COLUMNS] = {"id", "name", "body", "active"};
static const oid_t column_oids[COLUMNS] = {20, 25, 25, 16};

/* What the reader finds, per id; a request for another id finds nothing. */
struct found {
    const char *id;
    const char *image;
};

struct fake_reader {
    struct reader reader;
    const struct found *found;
    size_t count;
    char asked[TEXT_MAX];
    size_t calls;
    enum err_kind fails;
};

struct fixture {
    struct arena *arena;
    struct table table;
    struct mapping_column columns[COLUMNS];
    struct mapping mapping;
    struct fake_reader reader;
};

static struct value *
parse_image(struct arena *arena, const char *text)
{
    struct value *image = arena_new_n(arena, struct value, COLUMNS);

    for (size_t i = 0; i < COLUMNS; i++) {
        size_t len = strcspn(text, "| ");
        struct span part = {text, len};

        image[i] = (struct value){.ptr = text, .len = (uint32_t)len, .kind = VALUE_TEXT};
        if (span_eq(part, SPAN("~")))
            image[i] = (struct value){.kind = VALUE_UNCHANGED};
        else if (span_eq(part, SPAN("\\N")))
            image[i] = (struct value){.kind = VALUE_NULL};
        text += len + (text[len] == '|');
    }
    return image;
}

static void
append(char *out, const char *text, size_t len)
{
    size_t used = strlen(out);

    CHECK(used + len + 1 < TEXT_MAX);
    memcpy(out + used, text, len);
    out[used + len] = '\0';
}

static void
append_span(char *out, struct span s)
{
    append(out, s.ptr, s.len);
}

static bool
fake_read(struct reader *reader, const struct mapping *mapping UNUSED,
          struct reader_request *requests, size_t count, const struct reader_wait *wait UNUSED,
          struct arena *arena, struct err *err)
{
    struct fake_reader *fake = (struct fake_reader *)reader;

    fake->calls++;
    if (fake->fails)
        return err_set(err, fake->fails, "server is gone");
    for (size_t i = 0; i < count; i++) {
        char xid[32];

        snprintf(xid, sizeof(xid), "@%u ", requests[i].xid);
        append_span(fake->asked, requests[i].id);
        append_span(fake->asked, span_of(xid));
        for (size_t f = 0; f < fake->count; f++) {
            if (span_eq(span_of(fake->found[f].id), requests[i].id))
                requests[i].image = parse_image(arena, fake->found[f].image);
        }
    }
    return true;
}

static const struct reader_type fake_type = {.read = fake_read};

static int
setup(void **state)
{
    static struct fixture f;

    f = (struct fixture){.arena = arena_new("test"), .reader.reader.type = &fake_type};
    f.mapping = (struct mapping){
        .name = "people",
        .file = "001_people.toml",
        .id_name = "id",
        .id_type = ID_UINT,
        .source = &f.table,
        .column_count = COLUMNS,
        .columns = f.columns,
    };
    for (size_t i = 0; i < COLUMNS; i++) {
        f.columns[i].name = column_names[i];
        CHECK(type_builtin(column_oids[i], &f.columns[i].type));
    }
    *state = &f;
    return 0;
}

static int
teardown(void **state)
{
    arena_free(((struct fixture *)*state)->arena);
    return 0;
}

static void
set_predicate(struct fixture *f, const char *text)
{
    struct predicate *predicate;
    struct err err;

    CHECK_OK(predicate_parse(span_of(text), f->arena, &predicate, &err), err);
    for (size_t i = 0; i < predicate_column_count(predicate); i++) {
        for (size_t c = 0; c < COLUMNS; c++) {
            if (span_eq(predicate_column_name(predicate, i), span_of(column_names[c])))
                predicate_bind(predicate, i, c, &f->columns[c].type);
        }
    }
    CHECK_OK(predicate_check(predicate, &err), err);
    f->mapping.predicate = predicate;
}

static struct row
parse_row(struct arena *arena, const char *text, size_t i)
{
    struct row row = {.xid = (uint32_t)(700 + i), .position = {LSN_START, i + 1}};
    const char *old = strstr(text, " < ");
    const char *image = strchr(text, ' ');
    enum change_op ops[128] = {['I'] = CHANGE_INSERT,
                               ['U'] = CHANGE_UPDATE,
                               ['D'] = CHANGE_DELETE,
                               ['T'] = CHANGE_TRUNCATE};

    row.op = ops[(unsigned char)text[0]];
    if (strncmp(text + 1, ":old", 4) == 0)
        row.half = ROW_OLD_HALF;
    if (strncmp(text + 1, ":new", 4) == 0)
        row.half = ROW_NEW_HALF;
    if (row.op == CHANGE_TRUNCATE)
        return row;
    if (row.op == CHANGE_DELETE)
        row.before = parse_image(arena, image + 1);
    else
        row.after = parse_image(arena, image + 1);
    if (old)
        row.before = parse_image(arena, old + 3);
    row.before_is_key = row.before && row.before[1].kind == VALUE_UNCHANGED;
    return row;
}

static void
render_action(const struct action *action, char *out)
{
    if (*out)
        append_span(out, SPAN("; "));
    append_span(out, span_of(action_kind_names[action->kind]));
    if (action->kind == ACTION_ERROR) {
        append_span(out, SPAN(" "));
        append_span(out, span_of(action->error));
        return;
    }
    if (action->kind == ACTION_TRUNCATE)
        return;
    append_span(out, SPAN(" "));
    append_span(out, action->id.text);
    for (size_t i = 0; action->kind == ACTION_UPSERT && i < COLUMNS; i++) {
        CHECK(action->image[i].kind != VALUE_UNCHANGED);
        append_span(out, i ? SPAN("|") : SPAN("="));
        append_span(out, action->image[i].kind == VALUE_NULL ? SPAN("\\N")
                                                             : value_span(&action->image[i]));
    }
}

static const char *
map_rows(struct fixture *f, const char *const *rows, struct actions *ret, struct err *err)
{
    struct row list[ROWS_MAX];
    struct batch batch = {.mapping = &f->mapping, .rows = list};
    const struct reader_wait wait = {.cancel_fd = -1};
    static char text[TEXT_MAX];

    for (; rows[batch.count]; batch.count++) {
        CHECK(batch.count < ROWS_MAX);
        list[batch.count] = parse_row(f->arena, rows[batch.count], batch.count);
    }
    *text = '\0';
    if (!mapper_map(&batch, f->reader.found ? &f->reader.reader : NULL, &wait, f->arena, ret, err))
        return NULL;
    for (size_t i = 0; i < ret->count; i++) {
        const struct row *row = ret->items[i].row;

        CHECK(row && row >= list && row < list + batch.count);
        CHECK_INT(position_compare(ret->items[i].position, row->position), 0);
        render_action(&ret->items[i], text);
    }
    return text;
}

struct map_case {
    const char *rows[ROWS_MAX];
    const char *want;
    struct found found[4];
    const char *asked; /* of the reader, "id@xid " each; NULL: nothing may be asked */
};

static void
check_case(struct fixture *f, const struct map_case *c)
{
    struct actions actions;
    const char *got;
    struct err err;

    f->reader.found = c->asked ? c->found : NULL;
    f->reader.count = c->asked ? ARRAY_LEN(c->found) : 0;
    while (f->reader.count > 0 && !c->found[f->reader.count - 1].id)
        f->reader.count--;
    f->reader.calls = 0;
    *f->reader.asked = '\0';

    got = map_rows(f, c->rows, &actions, &err);
    if (!got)
        fail_msg("%s: %s", c->rows[0], err.text);
    if (strcmp(got, c->want) != 0)
        fail_msg("%s ...\n got  %s\n want %s", c->rows[0], got, c->want);
    if (c->asked) {
        CHECK_STR(f->reader.asked, c->asked);
        CHECK_INT(f->reader.calls, 1);
    }
}

#define CHECK_MAPS(state, cases)                                                                   \
    do {                                                                                           \
        for (size_t i_ = 0; i_ < ARRAY_LEN(cases); i_++)                                           \
            check_case(*(state), &(cases)[i_]);                                                    \
    } while (0)

/* clang-format off */

static void
rows_become_actions_in_stream_order(void **state)
{
    static const struct map_case cases[] = {
        {.rows = {NULL}, .want = ""},
        {.rows = {"I 1|ann|x|t"}, .want = "upsert 1=1|ann|x|t"},
        {.rows = {"I 1|ann|\\N|t"}, .want = "upsert 1=1|ann|\\N|t"},
        {.rows = {"U 1|ann|x|t"}, .want = "upsert 1=1|ann|x|t"},
        {.rows = {"D 1|~|~|~"}, .want = "delete 1"},
        {.rows = {"D 1|ann|x|t"}, .want = "delete 1"},
        {.rows = {"I 1|ann|x|t", "U 1|bob|x|t", "D 1|~|~|~"}, .want = "upsert 1=1|ann|x|t; upsert 1=1|bob|x|t; delete 1"},
        {.rows = {"U 1|ann|x|t < 1|old|x|t"}, .want = "upsert 1=1|ann|x|t"},
    };

    CHECK_MAPS(state, cases);
}

static void
defect_p1_08_defect_p2_05_rule_18_truncate_is_an_action_of_its_own(void **state)
{
    static const struct map_case cases[] = {
        {.rows = {"I 1|ann|x|t", "T", "I 2|bob|x|t"}, .want = "upsert 1=1|ann|x|t; truncate; upsert 2=2|bob|x|t"},
    };

    CHECK_MAPS(state, cases);
}

static void
defect_p1_05_a_row_that_leaves_the_predicate_is_deleted(void **state)
{
    static const struct map_case cases[] = {
        /* the old image is unknown */
        {.rows = {"U 1|ann|x|t"}, .want = "upsert 1=1|ann|x|t"},
        {.rows = {"U 1|ann|x|f"}, .want = "delete 1"},
        {.rows = {"U 1|ann|x|\\N"}, .want = "delete 1"},
        {.rows = {"D 1|~|~|~"}, .want = "delete 1"},
        /* the old image is known: enter, stay, leave, outside */
        {.rows = {"U 1|ann|x|t < 1|ann|x|f"}, .want = "upsert 1=1|ann|x|t"},
        {.rows = {"U 1|ann|x|t < 1|ann|x|t"}, .want = "upsert 1=1|ann|x|t"},
        {.rows = {"U 1|ann|x|f < 1|ann|x|t"}, .want = "delete 1"},
        {.rows = {"U 1|ann|x|f < 1|ann|x|f"}, .want = ""},
        {.rows = {"U 1|ann|x|f < 1|ann|x|\\N"}, .want = ""},
        {.rows = {"D 1|ann|x|t"}, .want = "delete 1"},
        {.rows = {"D 1|ann|x|f"}, .want = ""},
        {.rows = {"I 1|ann|x|t"}, .want = "upsert 1=1|ann|x|t"},
        {.rows = {"I 1|ann|x|f"}, .want = ""},
        {.rows = {"I 1|ann|x|\\N"}, .want = ""},
    };

    set_predicate(*state, "active");
    CHECK_MAPS(state, cases);
}

static void
defect_p1_06_defect_p2_05_rule_15_a_key_change_is_two_actions(void **state)
{
    static const struct map_case cases[] = {
        {.rows = {"U 2|ann|x|t < 1|~|~|~"}, .want = "delete 1; upsert 2=2|ann|x|t"},
        {.rows = {"U 2|ann|x|t < 1|ann|x|t"}, .want = "delete 1; upsert 2=2|ann|x|t"},
        {.rows = {"U:old 2|ann|x|t < 1|~|~|~"}, .want = "delete 1"},
        {.rows = {"U:new 2|ann|x|t < 1|~|~|~"}, .want = "upsert 2=2|ann|x|t"},
        /* the same id in another text is no key change */
        {.rows = {"U 1|ann|x|t < 01|~|~|~"}, .want = "upsert 1=1|ann|x|t"},
        /* an old image that lacks the id says nothing of it */
        {.rows = {"U 1|ann|x|t < ~|bob|~|~"}, .want = "upsert 1=1|ann|x|t"},
    };

    CHECK_MAPS(state, cases);
}

static void
rule_15_both_halves_of_a_key_change_ask_the_predicate(void **state)
{
    static const struct map_case cases[] = {
        {.rows = {"U 2|ann|x|t < 1|~|~|~"}, .want = "delete 1; upsert 2=2|ann|x|t"},
        {.rows = {"U 2|ann|x|f < 1|~|~|~"}, .want = "delete 1"},
        {.rows = {"U 2|ann|x|f < 1|ann|x|f"}, .want = ""},
        {.rows = {"U 2|ann|x|t < 1|ann|x|f"}, .want = "upsert 2=2|ann|x|t"},
        {.rows = {"U 2|ann|x|f < 1|ann|x|t"}, .want = "delete 1"},
        {.rows = {"U:old 2|ann|x|t < 1|ann|x|f"}, .want = ""},
        {.rows = {"U:new 2|ann|x|f < 1|ann|x|t"}, .want = ""},
    };

    set_predicate(*state, "active");
    CHECK_MAPS(state, cases);
}

static void
defect_p2_03_rule_17_unchanged_values_come_from_the_old_image(void **state)
{
    static const struct map_case cases[] = {
        {.rows = {"U 1|ann|~|t < 1|bob|long|t"}, .want = "upsert 1=1|ann|long|t"},
        {.rows = {"U 1|ann|~|t < 1|bob|\\N|t"}, .want = "upsert 1=1|ann|\\N|t"},
        {.rows = {"U 2|ann|~|t < 1|bob|long|t"}, .want = "delete 1; upsert 2=2|ann|long|t"},
        {.rows = {"U:new 2|ann|~|t < 1|bob|long|t"}, .want = "upsert 2=2|ann|long|t"},
    };

    CHECK_MAPS(state, cases);
}

static void
defect_p1_07_rule_17_unchanged_values_come_from_the_same_batch(void **state)
{
    static const struct map_case cases[] = {
        {.rows = {"I 1|ann|long|t", "U 1|bob|~|t"}, .want = "upsert 1=1|ann|long|t; upsert 1=1|bob|long|t"},
        {.rows = {"I 1|ann|long|t", "U 1|bob|~|t", "U 1|eve|~|f"},
         .want = "upsert 1=1|ann|long|t; upsert 1=1|bob|long|t; upsert 1=1|eve|long|f"},
        {.rows = {"I 1|a|one|t", "I 2|b|two|t", "U 1|c|~|t", "U 2|d|~|t"},
         .want = "upsert 1=1|a|one|t; upsert 2=2|b|two|t; upsert 1=1|c|one|t; upsert 2=2|d|two|t"},
        /* a value that changes in between */
        {.rows = {"I 1|a|one|t", "U 1|a|two|t", "U 1|b|~|t"},
         .want = "upsert 1=1|a|one|t; upsert 1=1|a|two|t; upsert 1=1|b|two|t"},
        /* over a key change, and from an image that took its value from its own old one */
        {.rows = {"I 1|a|one|t", "U 2|a|~|t < 1|~|~|~", "U 2|b|~|t"},
         .want = "upsert 1=1|a|one|t; delete 1; upsert 2=2|a|one|t; upsert 2=2|b|one|t"},
        {.rows = {"U 1|a|~|t < 1|z|old|t", "U 1|b|~|t"}, .want = "upsert 1=1|a|old|t; upsert 1=1|b|old|t"},
    };

    CHECK_MAPS(state, cases);
}

static void
rule_17_an_image_outside_the_predicate_still_serves(void **state)
{
    static const struct map_case cases[] = {
        {.rows = {"I 1|ann|long|f", "U 1|ann|~|t"}, .want = "upsert 1=1|ann|long|t"},
    };

    set_predicate(*state, "active");
    CHECK_MAPS(state, cases);
}

static void
defect_p1_07_rule_04_what_the_batch_does_not_have_is_read_back(void **state)
{
    static const struct map_case cases[] = {
        {.rows = {"U 1|ann|~|t"}, .want = "upsert 1=1|now|new|t", {{"1", "1|now|new|t"}}, "1@700 "},
        /* row gone: delete at the event's version */
        {.rows = {"U 1|ann|~|t"}, .want = "delete 1", {{NULL, NULL}}, "1@700 "},
        /* the order of the actions is the stream's */
        {.rows = {"I 5|e|x|t", "U 1|ann|~|t", "D 6|~|~|~", "U 2|bob|~|t"},
         .want = "upsert 5=5|e|x|t; upsert 1=1|A|a|t; delete 6; delete 2", {{"1", "1|A|a|t"}}, "1@701 2@703 "},
        /* every row needs a snapshot of its own transaction */
        {.rows = {"U 1|ann|~|t", "U 1|bob|~|t"}, .want = "upsert 1=1|B|b|t; upsert 1=1|B|b|t", {{"1", "1|B|b|t"}}, "1@700 1@701 "},
        /* nothing is taken over a delete, a truncate or another lane */
        {.rows = {"I 1|a|one|t", "D 1|~|~|~", "U 1|b|~|t"},
         .want = "upsert 1=1|a|one|t; delete 1; upsert 1=1|B|b|t", {{"1", "1|B|b|t"}}, "1@702 "},
        {.rows = {"I 1|a|one|t", "T", "U 1|b|~|t"},
         .want = "upsert 1=1|a|one|t; truncate; upsert 1=1|B|b|t", {{"1", "1|B|b|t"}}, "1@702 "},
        {.rows = {"I 1|a|one|t", "U:new 2|a|~|t < 1|~|~|~"},
         .want = "upsert 1=1|a|one|t; upsert 2=2|B|b|t", {{"2", "2|B|b|t"}}, "2@701 "},
        {.rows = {"I 1|a|one|t", "U:old 2|a|~|t < 1|~|~|~", "U 1|b|~|t"},
         .want = "upsert 1=1|a|one|t; delete 1; upsert 1=1|B|b|t", {{"1", "1|B|b|t"}}, "1@702 "},
        /* a row that was read back itself is no source: it may be newer than the event */
        {.rows = {"U 1|a|~|t", "U 1|b|two|t", "U 1|c|~|t"},
         .want = "upsert 1=1|R|r|t; upsert 1=1|b|two|t; upsert 1=1|c|two|t", {{"1", "1|R|r|t"}}, "1@700 "},
        /* a key change is read under its new id */
        {.rows = {"U 2|ann|~|t < 1|~|~|~"}, .want = "delete 1; upsert 2=2|now|new|t", {{"2", "2|now|new|t"}}, "2@700 "},
        /* a column that was added later is carried by no old image */
        {.rows = {"U 1|ann|~|t < 1|ann|~|t"}, .want = "upsert 1=1|now|new|t", {{"1", "1|now|new|t"}}, "1@700 "},
        {.rows = {"I 1|ann|~|t"}, .want = "upsert 1=1|now|new|t", {{"1", "1|now|new|t"}}, "1@700 "},
        /* the id in another text is another document */
        {.rows = {"U 1|ann|~|t"}, .want = "delete 1", {{"1", "2|now|new|t"}}, "1@700 "},
    };

    CHECK_MAPS(state, cases);
}

static void
rule_04_the_predicate_runs_on_the_row_that_was_read(void **state)
{
    static const struct map_case cases[] = {
        {.rows = {"U 1|ann|~|t"}, .want = "upsert 1=1|now|new|t", {{"1", "1|now|new|t"}}, "1@700 "},
        {.rows = {"U 1|ann|~|t"}, .want = "delete 1", {{"1", "1|now|new|f"}}, "1@700 "},
        /* it was outside before: nothing is there to delete */
        {.rows = {"U 1|ann|~|t < 1|ann|~|f"}, .want = "", {{"1", "1|now|new|f"}}, "1@700 "},
        {.rows = {"U 2|ann|~|t < 1|~|~|~"}, .want = "delete 1", {{"2", "2|now|new|f"}}, "2@700 "},
        {.rows = {"U 1|ann|~|t < 1|ann|~|f", "I 3|c|x|t"}, .want = "upsert 3=3|c|x|t", {{"1", "1|now|new|f"}}, "1@700 "},
    };
    static const struct map_case without_reading[] = {
        /* the predicate decides without the value */
        {.rows = {"U 1|ann|~|f"}, .want = "delete 1"},
        {.rows = {"U 1|ann|~|f < 1|ann|~|f"}, .want = ""},
    };

    set_predicate(*state, "active");
    CHECK_MAPS(state, cases);
    CHECK_MAPS(state, without_reading);
}

static void
rule_04_a_predicate_on_the_unchanged_value_is_answered_by_the_row(void **state)
{
    static const struct map_case cases[] = {
        {.rows = {"U 1|ann|~|t"}, .want = "upsert 1=1|ann|keep|t", {{"1", "1|ann|keep|t"}}, "1@700 "},
        {.rows = {"U 1|ann|~|t"}, .want = "delete 1", {{"1", "1|ann|drop|t"}}, "1@700 "},
    };
    static const struct map_case without_reading[] = {
        {.rows = {"U 1|ann|~|t < 1|bob|keep|t"}, .want = "upsert 1=1|ann|keep|t"},
        {.rows = {"U 1|ann|~|t < 1|bob|drop|t"}, .want = ""},
        {.rows = {"I 1|ann|drop|t", "U 1|bob|~|t"}, .want = "delete 1"},
    };

    set_predicate(*state, "body = 'keep'");
    CHECK_MAPS(state, cases);
    CHECK_MAPS(state, without_reading);
}

/* Two rows swap their ids in one transaction: 1 -> 2, then 2 -> 1. */
static void
rule_15_where_the_key_is_deferrable_every_delete_is_read_back(void **state)
{
    static const struct map_case cases[] = {
        {.rows = {"U 2|ann|x|t < 1|ann|x|t", "U 1|bob|x|t < 2|bob|x|t"},
         .want = "upsert 1=1|bob|x|t; upsert 2=2|ann|x|t; upsert 2=2|ann|x|t; upsert 1=1|bob|x|t",
         {{"1", "1|bob|x|t"}, {"2", "2|ann|x|t"}}, "1@700 2@701 "},
        {.rows = {"U:old 1|bob|x|t < 2|bob|x|t"}, .want = "upsert 2=2|ann|x|t", {{"2", "2|ann|x|t"}}, "2@700 "},
        {.rows = {"U:old 1|bob|x|t < 2|bob|x|t"}, .want = "delete 2", {{NULL, NULL}}, "2@700 "},
        {.rows = {"D 1|ann|x|t"}, .want = "delete 1", {{NULL, NULL}}, "1@700 "},
        {.rows = {"D 1|ann|x|t"}, .want = "upsert 1=1|bob|x|t", {{"1", "1|bob|x|t"}}, "1@700 "},
        /* while two rows have the id, its earlier image may be the other row's */
        {.rows = {"I 1|a|one|t", "U 1|b|~|t"}, .want = "upsert 1=1|a|one|t; upsert 1=1|B|b|t", {{"1", "1|B|b|t"}}, "1@701 "},
    };
    struct fixture *f = *state;

    f->mapping.read_back_deletes = true;
    CHECK_MAPS(state, cases);
}

static void
rule_15_a_row_that_is_there_but_outside_is_deleted(void **state)
{
    static const struct map_case cases[] = {
        {.rows = {"D 1|ann|x|t"}, .want = "delete 1", {{"1", "1|bob|x|f"}}, "1@700 "},
        {.rows = {"U 1|ann|x|f < 1|ann|x|t"}, .want = "delete 1", {{"1", "1|ann|x|f"}}, "1@700 "},
    };
    struct fixture *f = *state;

    f->mapping.read_back_deletes = true;
    set_predicate(f, "active");
    CHECK_MAPS(state, cases);
}

#define NEGATIVE                                                                                   \
    " is negative, which the target cannot hold; set `id = { column = \"id\", type = \"int\", "     \
    "encode = \"string\" }` in 001_people.toml"

static void
defect_p2_07_a_row_without_a_possible_id_is_an_error(void **state)
{
    static const struct map_case cases[] = {
        {.rows = {"I -1|ann|x|t", "I 2|bob|x|t"}, .want = "error id -1" NEGATIVE "; upsert 2=2|bob|x|t"},
        {.rows = {"D -1|~|~|~"}, .want = "error id -1" NEGATIVE},
        {.rows = {"D ~|ann|x|t"}, .want = "error the WAL does not carry id column \"id\"; make it part of the replica identity"},
        {.rows = {"I \\N|ann|x|t"}, .want = "error id column \"id\" is null; make it NOT NULL"},
        {.rows = {"U 2|ann|x|t < -1|~|~|~"}, .want = "error id -1" NEGATIVE "; upsert 2=2|ann|x|t"},
        {.rows = {"U -1|ann|x|t < 2|~|~|~"}, .want = "delete 2; error id -1" NEGATIVE},
        {.rows = {"U -1|ann|x|t < -2|~|~|~"}, .want = "error id -1" NEGATIVE},
        {.rows = {"U:old -1|ann|x|t < 2|~|~|~"}, .want = "delete 2"},
        {.rows = {"U:new -1|ann|x|t < 2|~|~|~"}, .want = "error id -1" NEGATIVE},
        {.rows = {"U -1|ann|~|t"}, .want = "error id -1" NEGATIVE},
    };

    CHECK_MAPS(state, cases);
}

static void
a_row_that_does_not_belong_needs_no_id(void **state)
{
    static const struct map_case cases[] = {
        {.rows = {"I -1|ann|x|f"}, .want = ""},
        {.rows = {"D -1|ann|x|f"}, .want = ""},
        {.rows = {"U -1|ann|x|f < -1|ann|x|f"}, .want = ""},
    };

    set_predicate(*state, "active");
    CHECK_MAPS(state, cases);
}

/* clang-format on */

static void
a_reader_that_fails_fails_the_mapping(void **state)
{
    static const char *const rows[] = {"U 1|ann|~|t", NULL};
    static const struct found nothing[] = {{NULL, NULL}};
    struct fixture *f = *state;
    struct actions actions;
    struct err err;

    f->reader.found = nothing;
    f->reader.fails = ERR_TRANSIENT;
    CHECK(!map_rows(f, rows, &actions, &err));
    CHECK_INT(err.kind, ERR_TRANSIENT);
    CHECK_STR(err.text, "reading back 1 rows: server is gone");
}

static void
needing_a_reader_without_one_is_a_bug(void **state)
{
    static const char *const rows[] = {"U 1|ann|~|t", NULL};
    struct actions actions;
    struct err err;

    CHECK(!map_rows(*state, rows, &actions, &err));
    CHECK_INT(err.kind, ERR_BUG);
    CHECK_STR(err.text, "mapping people has 1 rows to read back and no reader");
}

/* More rows than anything has room for at first. */
static void
lists_grow(void **state)
{
    struct fixture *f = *state;
    struct batch *batch = batch_new(&f->mapping, 0);
    static const struct found found[] = {{"7", "7|now|new|t"}};
    const struct reader_wait wait = {.cancel_fd = -1};
    struct actions actions;
    struct row rows[300];
    struct err err;

    f->reader.found = found;
    f->reader.count = 1;
    batch->rows = rows;
    batch->count = ARRAY_LEN(rows);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        rows[i] = parse_row(f->arena, i % 2 ? "U 7|ann|~|t" : "U 2|ann|x|t < 1|~|~|~", i);
    CHECK_OK(mapper_map(batch, &f->reader.reader, &wait, f->arena, &actions, &err), err);
    CHECK_INT(actions.count, 450);
    for (size_t i = 0; i < actions.count; i++)
        CHECK_INT(actions.items[i].kind, i % 3 == 0 ? ACTION_DELETE : ACTION_UPSERT);
    batch->rows = NULL;
    batch_free(batch);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_become_actions_in_stream_order),
        TEST(defect_p1_08_defect_p2_05_rule_18_truncate_is_an_action_of_its_own),
        TEST(defect_p1_05_a_row_that_leaves_the_predicate_is_deleted),
        TEST(defect_p1_06_defect_p2_05_rule_15_a_key_change_is_two_actions),
        TEST(rule_15_both_halves_of_a_key_change_ask_the_predicate),
        TEST(defect_p2_03_rule_17_unchanged_values_come_from_the_old_image),
        TEST(defect_p1_07_rule_17_unchanged_values_come_from_the_same_batch),
        TEST(rule_17_an_image_outside_the_predicate_still_serves),
        TEST(defect_p1_07_rule_04_what_the_batch_does_not_have_is_read_back),
        TEST(rule_04_the_predicate_runs_on_the_row_that_was_read),
        TEST(rule_04_a_predicate_on_the_unchanged_value_is_answered_by_the_row),
        TEST(rule_15_where_the_key_is_deferrable_every_delete_is_read_back),
        TEST(rule_15_a_row_that_is_there_but_outside_is_deleted),
        TEST(defect_p2_07_a_row_without_a_possible_id_is_an_error),
        TEST(a_row_that_does_not_belong_needs_no_id),
        TEST(a_reader_that_fails_fails_the_mapping),
        TEST(needing_a_reader_without_one_is_a_bug),
        TEST(lists_grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
