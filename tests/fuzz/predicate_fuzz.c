/* predicate_fuzz: no text breaks the parser, and NOT (p) is what p is not, for every row. */
#include "fuzz/fuzz.h"

#include <assert.h>

#include "model/predicate.h"

#define COLUMNS_MAX 1600
#define ROWS        4

/* Columns get a type by their first byte, and values that do and do not read as it. */
static const struct {
    oid_t oid;
    const char *values[ROWS];
} types[] = {
    {16, {"t", "f", NULL, "t"}},
    {23, {"5", "-1", NULL, "0"}},
    {1700, {"5.00", "1e3", NULL, "NaN"}},
    {701, {"0.1", "-0", NULL, "Infinity"}},
    {25, {"a", "", NULL, "it's"}},
    {1042, {"a  ", "a", NULL, ""}},
    {2950, {"c0ffee00-0000-4000-8000-000000000000", "x", NULL, ""}},
    {1082, {"2024-03-02", "infinity", NULL, "0044-03-15 BC"}},
    {1083, {"10:00:00", "24:00:00", NULL, "10:00:00.5"}},
    {1114, {"2024-03-02 10:00:00", "infinity", NULL, ""}},
    {1184, {"2024-03-02 10:00:00+02", "-infinity", NULL, ""}},
    {3802, {"{}", "null", NULL, "1"}},
};

static struct type
type_of(struct span name)
{
    struct type type;
    bool known = type_builtin(types[(unsigned char)name.ptr[0] % ARRAY_LEN(types)].oid, &type);

    assert(known);
    return type;
}

static struct predicate *
make(struct span text, struct type *room, struct arena *arena)
{
    struct predicate *predicate;
    struct err err;

    if (!predicate_parse(text, arena, &predicate, &err)) {
        assert(err.kind == ERR_CONFIG && strncmp(err.text, "column ", 7) == 0);
        return NULL;
    }
    assert(predicate_column_count(predicate) <= COLUMNS_MAX);
    for (size_t i = 0; i < predicate_column_count(predicate); i++) {
        struct span name = predicate_column_name(predicate, i);

        assert(name.len > 0 && predicate_column_place(predicate, i) >= 1);
        room[i] = type_of(name);
        predicate_bind(predicate, i, i, &room[i]);
    }
    if (!predicate_check(predicate, &err)) {
        assert(err.kind == ERR_CONFIG);
        return NULL;
    }
    return predicate;
}

static void
fill(const struct predicate *predicate, size_t row, struct value *image)
{
    for (size_t i = 0; i < predicate_column_count(predicate); i++) {
        unsigned char first = (unsigned char)predicate_column_name(predicate, i).ptr[0];
        const char *text = types[first % ARRAY_LEN(types)].values[(row + i) % ROWS];

        image[i] = (struct value){.kind = VALUE_NULL};
        if (text)
            image[i] = (struct value){text, (uint32_t)strlen(text), VALUE_TEXT};
        else if (first % 2)
            image[i].kind = VALUE_UNCHANGED;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct type room[COLUMNS_MAX], negated_room[COLUMNS_MAX];
    static struct value image[COLUMNS_MAX];
    struct span text = {(const char *)data, size};
    struct arena *arena = arena_new("fuzz");
    char *negated_text = arena_alloc(arena, size + sizeof("NOT ()"));
    struct predicate *predicate = make(text, room, arena), *negated;

    if (predicate) {
        memcpy(negated_text, "NOT (", 5);
        memcpy(negated_text + 5, data, size);
        negated_text[5 + size] = ')';
        negated = make((struct span){negated_text, size + 6}, negated_room, arena);
        for (size_t row = 0; row < ROWS && negated; row++) {
            enum truth truth, not_truth;

            fill(predicate, row, image);
            truth = predicate_eval(predicate, image);
            not_truth = predicate_eval(negated, image);
            assert((truth == TRUTH_TRUE) == (not_truth == TRUTH_FALSE));
            assert((truth == TRUTH_FALSE) == (not_truth == TRUTH_TRUE));
            assert((truth == TRUTH_NULL) == (not_truth == TRUTH_NULL));
        }
    }
    arena_free(arena);
    return 0;
}
