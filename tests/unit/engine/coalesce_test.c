/* coalesce: one action per id, the newest; borders; and a plain reference on random lists. */
#include "engine/mapper.h"
#include "harness/check.h"

#define ACTIONS_MAX 512

/*
 * "u1@5" upsert of id 1 at version 5, "d1@5" delete, "T@5" truncate, "E1@5" error; ids are one
 * character.
 */
static size_t
parse(const char *text, struct action *actions)
{
    size_t count = 0;

    while (*text) {
        size_t len = strcspn(text, " ");
        struct action *action = &actions[count++];
        const char *at = memchr(text, '@', len);

        CHECK(at && count <= ACTIONS_MAX);
        *action = (struct action){
            .kind = *text == 'u'   ? ACTION_UPSERT
                    : *text == 'd' ? ACTION_DELETE
                    : *text == 'T' ? ACTION_TRUNCATE
                                   : ACTION_ERROR,
            .position = {(lsn_t)(at[1] - '0'), 1},
            .id.text = {text + 1, *text == 'T' ? 0 : 1},
        };
        text += len + (text[len] == ' ');
    }
    return count;
}

static void
render(const struct action *actions, size_t count, char *out)
{
    static const char letters[] = "udTE";

    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            *out++ = ' ';
        *out++ = letters[actions[i].kind];
        if (actions[i].id.text.len)
            *out++ = *actions[i].id.text.ptr;
        *out++ = '@';
        *out++ = (char)('0' + actions[i].position.commit);
    }
    *out = '\0';
}

static void
defect_p1_11_rule_17_the_last_action_of_an_id_wins(void **state UNUSED)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"", ""},
        {"u1@1", "u1@1"},
        {"u1@1 d1@2", "d1@2"},
        {"d1@1 u1@2", "u1@2"},
        {"u1@1 u2@2 u1@3", "u2@2 u1@3"},
        {"u1@1 d1@2 u1@3 d1@4", "d1@4"},
        {"u1@1 u2@1 u3@1", "u1@1 u2@1 u3@1"},
        {"u1@1 u1@1", "u1@1"},
        {"u1@1 d1@1", "d1@1"},
        /* a row of a snapshot may come behind a newer one of the stream */
        {"u1@5 u1@3", "u1@5"},
        {"d1@5 u2@6 u1@3", "u2@6 d1@5"},
        /* TRUNCATE is a border */
        {"u1@1 T@2 u1@3", "u1@1 T@2 u1@3"},
        {"u1@1 d1@2 T@3 u1@4 u1@5", "d1@2 T@3 u1@5"},
        {"T@1 T@2", "T@1 T@2"},
        {"u1@1 T@2 T@3 u1@4 u1@5 T@6 u1@7", "u1@1 T@2 T@3 u1@5 T@6 u1@7"},
        /* errors stay, and are in nobody's way */
        {"E1@1 u1@2", "E1@1 u1@2"},
        {"u1@1 E1@2", "u1@1 E1@2"},
        {"u1@1 E1@2 u1@3", "E1@2 u1@3"},
        {"E1@1 E1@2", "E1@1 E1@2"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena = arena_new("test");
        struct action actions[ACTIONS_MAX];
        char got[ACTIONS_MAX * 5];

        render(actions, mapper_coalesce(actions, parse(cases[i].in, actions), arena), got);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s: got %s, want %s", cases[i].in, got, cases[i].want);
        arena_free(arena);
    }
}

/* The rule, word for word and slowly: is there a later action of this id before a TRUNCATE? */
static size_t
reference(const struct action *in, size_t count, struct action *out)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        bool last = true, keyed = in[i].kind == ACTION_UPSERT || in[i].kind == ACTION_DELETE;

        for (size_t j = i + 1; keyed && j < count && in[j].kind != ACTION_TRUNCATE; j++) {
            if (in[j].kind != ACTION_ERROR && span_eq(in[j].id.text, in[i].id.text))
                last = false;
        }
        if (last)
            out[kept++] = in[i];
    }
    return kept;
}

static void
random_lists_agree_with_a_reference(void **state UNUSED)
{
    static const char ids[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    uint64_t seed = 7;

    for (int round = 0; round < 500; round++) {
        struct arena *arena = arena_new("test");
        struct action in[ACTIONS_MAX], want[ACTIONS_MAX];
        size_t count, got_count, want_count;

        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        count = (seed >> 33) % ACTIONS_MAX;
        for (size_t i = 0; i < count; i++) {
            unsigned dice;

            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            dice = (unsigned)(seed >> 33);
            in[i] = (struct action){
                .kind = dice % 50 == 0   ? ACTION_TRUNCATE
                        : dice % 50 == 1 ? ACTION_ERROR
                        : dice % 2       ? ACTION_UPSERT
                                         : ACTION_DELETE,
                .position = {1, i + 1},
                .id.text = {&ids[(dice >> 8) % (round % 2 ? 5 : 62)], 1},
            };
        }
        want_count = reference(in, count, want);
        got_count = mapper_coalesce(in, count, arena);
        CHECK_INT(got_count, want_count);
        for (size_t i = 0; i < got_count; i++) {
            CHECK_INT(in[i].position.ordinal, want[i].position.ordinal);
            CHECK_INT(in[i].kind, want[i].kind);
        }
        arena_free(arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defect_p1_11_rule_17_the_last_action_of_an_id_wins),
        cmocka_unit_test(random_lists_agree_with_a_reference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
