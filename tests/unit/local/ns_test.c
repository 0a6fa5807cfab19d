/* ns: changes are put, removed, rolled back and committed. */
#include "local/ns.h"

#include "unit/local/bench.h"

struct fixture {
    struct arena *arena;
    struct ns *ns;
    struct ns_schema schema;
    struct changes changes;
    struct journal journal;
};

static void
open_fixture(struct fixture *f)
{
    *f = (struct fixture){.arena = arena_new("test"), .ns = ns_new(SPAN("ns"), NOW_MS)};
    ns_schema_init(&f->schema, f->arena);
    f->schema.attributes[SCHEMA_ID].type.base = DATUM_UINT;
    f->changes = (struct changes){.ns = f->ns, .schema = &f->schema};
    journal_init(&f->journal, 100);
}

static void
close_fixture(struct fixture *f)
{
    changes_free(&f->changes);
    journal_done(&f->journal);
    ns_free(f->ns);
    arena_free(f->arena);
}

static struct datum
id_of(uint64_t id)
{
    return (struct datum){.attribute = SCHEMA_ID, .scalar.u = id};
}

static struct doc *
get(const struct fixture *f, uint64_t id)
{
    struct datum datum = id_of(id);

    return ns_get(f->ns, &f->schema, &datum);
}

static void
put(struct fixture *f, uint64_t id)
{
    struct datum datum = id_of(id);
    struct row row = {&datum, 1};

    changes_put(&f->changes, JOURNAL_UPSERT, get(f, id), doc_new(&f->schema, &row));
}

static void
commits(void **state UNUSED)
{
    struct fixture f;
    struct doc *first;

    open_fixture(&f);
    for (uint64_t id = 0; id < 100; id++)
        put(&f, id);
    first = get(&f, 7);
    put(&f, 7); /* twice in one write */
    CHECK(get(&f, 7) != first);
    changes_remove(&f.changes, JOURNAL_DELETE, get(&f, 8));
    changes_commit(&f.changes, &f.journal, 1);
    CHECK_INT(f.changes.count, 0);
    CHECK_INT(f.ns->docs.count, 99);
    CHECK_INT(f.ns->bytes, 99 * 8);
    CHECK_INT(f.journal.count, 102);
    CHECK(!get(&f, 8));
    close_fixture(&f);
}

/* Back to exactly what was there, whatever happened to an id in between. */
static void
rolls_back(void **state UNUSED)
{
    struct fixture f;
    struct doc *one, *two;
    struct datum absent = id_of(9);

    open_fixture(&f);
    put(&f, 1);
    put(&f, 2);
    changes_commit(&f.changes, &f.journal, 1);
    one = get(&f, 1);
    two = get(&f, 2);

    put(&f, 1);                                             /* replaced */
    changes_remove(&f.changes, JOURNAL_DELETE, get(&f, 2)); /* removed, then made again */
    put(&f, 2);
    put(&f, 3); /* made, then removed */
    changes_remove(&f.changes, JOURNAL_DELETE, get(&f, 3));
    put(&f, 4); /* made */
    changes_note(&f.changes, JOURNAL_DELETE, JOURNAL_ABSENT, &absent, NULL);
    changes_roll_back(&f.changes);

    CHECK(get(&f, 1) == one && get(&f, 2) == two);
    CHECK(!get(&f, 3) && !get(&f, 4));
    CHECK_INT(f.ns->docs.count, 2);
    CHECK_INT(f.ns->bytes, 2 * 8);
    CHECK_INT(f.journal.count, 2);
    close_fixture(&f);
}

static void
walks_all_documents(void **state UNUSED)
{
    struct fixture f;
    struct doc *doc;
    uint64_t sum = 0;

    open_fixture(&f);
    CHECK(!ns_next(f.ns, &(size_t){0}));
    for (uint64_t id = 1; id <= 50; id++)
        put(&f, id);
    changes_commit(&f.changes, &f.journal, 1);
    for (size_t at = 0; (doc = ns_next(f.ns, &at)) != NULL;)
        sum += doc->values[0].scalar.u;
    CHECK_INT(sum, 50 * 51 / 2);
    close_fixture(&f);
    ns_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits),
        cmocka_unit_test(rolls_back),
        cmocka_unit_test(walks_all_documents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
