/* start: every way a flow can begin, from facts. */
#include "flow/start.h"

#include "base/number.h"
#include "harness/check.h"

/*
 * Facts are written as words.  Without any: a first start on an empty server, with slot "ours" to
 * be made.  Positions are small numbers; the server's log ends at 1000.
 */
struct word {
    const char *name; /* up to '=' */
    void (*set)(struct start_facts *facts, lsn_t n);
};

/* clang-format off */
static void from(struct start_facts *f, lsn_t n) { f->options.has_from_lsn = true; f->options.from_lsn = n; }
static void gap(struct start_facts *f, lsn_t n UNUSED) { f->options.accept_gap = true; }
static void new_epoch(struct start_facts *f, lsn_t n UNUSED) { f->options.new_epoch = true; }
static void no_create(struct start_facts *f, lsn_t n UNUSED) { f->options.create_slot = false; }

static void checkpoint(struct start_facts *f, lsn_t n) { f->record.has_started = true; f->record.checkpoint = n; }
static void memory(struct start_facts *f, lsn_t n UNUSED) { f->record.persistent = false; }
static void intent(struct start_facts *f, lsn_t n UNUSED) { f->record.slot_intent = true; }
static void of_slot_other(struct start_facts *f, lsn_t n UNUSED) { f->record.slot = "other"; }
static void of_database_other(struct start_facts *f, lsn_t n UNUSED) { f->record.database = "other"; }
static void of_cluster_other(struct start_facts *f, lsn_t n UNUSED) { f->record.system_id = "7000"; }
static void epoch(struct start_facts *f, lsn_t n) { f->record.epoch = n; }
static void timeline(struct start_facts *f, lsn_t n) { f->record.timeline = (int64_t)n; }

static void now_timeline(struct start_facts *f, lsn_t n) { f->server.timeline = (int64_t)n; }
static void left(struct start_facts *f, lsn_t n) { f->server.switch_found = true; f->server.switch_lsn = n; }
static void log_end(struct start_facts *f, lsn_t n) { f->server.wal_end = n; }
static void slot(struct start_facts *f, lsn_t n) { f->server.slot_exists = true; f->server.slot_confirmed_flush = n; }
static void physical(struct start_facts *f, lsn_t n UNUSED) { f->server.slot_physical = true; f->server.slot_plugin = ""; }
static void temporary(struct start_facts *f, lsn_t n UNUSED) { f->server.slot_temporary = true; }
static void two_phase(struct start_facts *f, lsn_t n UNUSED) { f->server.slot_two_phase = true; }
static void wal2json(struct start_facts *f, lsn_t n UNUSED) { f->server.slot_plugin = "wal2json"; }
static void in_other(struct start_facts *f, lsn_t n UNUSED) { f->server.slot_database = "other"; }
static void lost(struct start_facts *f, lsn_t n UNUSED) { f->server.slot_wal_status = "lost"; }
static void unreserved(struct start_facts *f, lsn_t n UNUSED) { f->server.slot_wal_status = "unreserved"; }
static void invalid(struct start_facts *f, lsn_t n UNUSED) { f->server.slot_invalid = "rows_removed"; }
static void pub_gone(struct start_facts *f, lsn_t n UNUSED) { f->server.publication = START_PUBLICATION_ABSENT; }
static void pub_remade(struct start_facts *f, lsn_t n UNUSED) { f->server.publication = START_PUBLICATION_REMADE; }
static void pub_unknown(struct start_facts *f, lsn_t n UNUSED) { f->server.publication = START_PUBLICATION_UNKNOWN; }

static const struct word words[] = {
    {"from", from}, {"gap", gap}, {"new-epoch", new_epoch}, {"no-create", no_create},
    {"checkpoint", checkpoint}, {"memory", memory}, {"intent", intent},
    {"of-slot-other", of_slot_other}, {"of-database-other", of_database_other},
    {"of-cluster-other", of_cluster_other}, {"epoch", epoch}, {"timeline", timeline},
    {"now-timeline", now_timeline}, {"left", left}, {"log-end", log_end}, {"slot", slot},
    {"physical", physical}, {"temporary", temporary}, {"two-phase", two_phase},
    {"wal2json", wal2json}, {"in-other", in_other}, {"lost", lost}, {"unreserved", unreserved},
    {"invalid", invalid}, {"pub-gone", pub_gone}, {"pub-remade", pub_remade},
    {"pub-unknown", pub_unknown},
};
/* clang-format on */

static void
apply_word(struct start_facts *facts, struct span word)
{
    size_t len = 0;
    uint64_t n = 0;

    while (len < word.len && word.ptr[len] != '=')
        len++;
    if (len < word.len)
        CHECK(span_to_uint(span_skip(word, len + 1), &n));
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (span_eq(span_of(words[i].name), (struct span){word.ptr, len})) {
            words[i].set(facts, n);
            return;
        }
    }
    fail_msg("no word \"%.*s\"", SPAN_ARG(word));
}

static struct start_facts
facts_of(const char *text)
{
    struct start_facts facts = {
        .slot = "ours",
        .publication = "ours",
        .options = {.create_slot = true},
        .record = {.persistent = true,
                   .system_id = "7001",
                   .timeline = 1,
                   .database = "shop",
                   .slot = "ours"},
        .server = {.system_id = "7001",
                   .timeline = 1,
                   .switch_found = true,
                   .switch_lsn = UINT64_MAX,
                   .wal_end = 1000,
                   .database = "shop",
                   .publication = START_PUBLICATION_SAME,
                   .slot_plugin = "pgoutput",
                   .slot_database = "shop",
                   .slot_wal_status = "reserved",
                   .slot_invalid = ""},
    };

    while (*text) {
        size_t len = strcspn(text, " ");

        apply_word(&facts, (struct span){text, len});
        text += len;
        text += strspn(text, " ");
    }
    return facts;
}

/* What is wanted: the action and where, then flags: r(eset) n(ot backfilled) i(dentity)
 * t(emporary), and the epoch. */
struct row {
    const char *facts;
    enum start_action action;
    lsn_t lsn;
    const char *flags;
    uint64_t epoch;
};

static void
check_flags(const char *facts, const struct start_plan *plan, const char *want)
{
    char got[8];

    snprintf(got, sizeof(got), "%s%s%s%s", plan->reset ? "r" : "", plan->not_backfilled ? "n" : "",
             plan->new_identity ? "i" : "", plan->temporary ? "t" : "");
    if (strcmp(got, want) != 0)
        fail_msg("\"%s\": got flags \"%s\", want \"%s\"", facts, got, want);
}

static void
check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct start_facts facts = facts_of(rows[i].facts);
        struct start_plan plan = start_decide(&facts, arena);

        if (plan.action != rows[i].action)
            fail_msg("\"%s\": got %s (%s), want %s", rows[i].facts, start_action_names[plan.action],
                     plan.text, start_action_names[rows[i].action]);
        if (plan.lsn != rows[i].lsn || plan.epoch != rows[i].epoch)
            fail_msg("\"%s\": got %llu, epoch %llu; want %llu, epoch %llu", rows[i].facts,
                     (unsigned long long)plan.lsn, (unsigned long long)plan.epoch,
                     (unsigned long long)rows[i].lsn, (unsigned long long)rows[i].epoch);
        check_flags(rows[i].facts, &plan, rows[i].flags);
        CHECK(plan.text && *plan.text);
    }
}

/* Refusals: the rule, and what the texts have to say. */
struct refusal {
    const char *facts;
    int rule;
    const char *text;   /* is part of the text */
    const char *remedy; /* is part of the remedy */
};

static void
check_refusals(const struct refusal *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct start_facts facts = facts_of(rows[i].facts);
        struct start_plan plan = start_decide(&facts, arena);

        if (plan.action != START_REFUSE)
            fail_msg("\"%s\": got %s (%s), want a refusal", rows[i].facts,
                     start_action_names[plan.action], plan.text);
        if (plan.rule != rows[i].rule)
            fail_msg("\"%s\": got rule %d (%s), want %d", rows[i].facts, plan.rule, plan.text,
                     rows[i].rule);
        if (!strstr(plan.text, rows[i].text))
            fail_msg("\"%s\": \"%s\" does not say \"%s\"", rows[i].facts, plan.text, rows[i].text);
        if (!plan.remedy || !strstr(plan.remedy, rows[i].remedy))
            fail_msg("\"%s\": remedy \"%s\" does not say \"%s\"", rows[i].facts,
                     plan.remedy ? plan.remedy : "none", rows[i].remedy);
    }
}

static void
rule_05_another_cluster_is_refused(void **state UNUSED)
{
    static const struct refusal rows[] = {
        {"checkpoint=100 slot=90 of-cluster-other", 5, "another cluster", "--new-epoch"},
        {"checkpoint=100 of-cluster-other", 5, "another cluster", "--new-epoch"},
        {"checkpoint=100 of-cluster-other from=100 gap slot=90", 5, "another cluster",
         "--new-epoch"},
        {"checkpoint=100 slot=90 log-end=99", 5, "set back", "--new-epoch"},
    };

    check_refusals(rows, ARRAY_LEN(rows));
}

static void
rule_05_another_timeline_goes_on_where_it_left_after_us(void **state UNUSED)
{
    static const struct row rows[] = {
        {"checkpoint=100 slot=90 now-timeline=2 left=100", START_STREAM, 100, "i", 0},
        {"checkpoint=100 slot=90 now-timeline=2 left=500", START_STREAM, 100, "i", 0},
        {"checkpoint=100 slot=90 timeline=0 now-timeline=9", START_STREAM, 100, "",
         0},                                                     /* unknown */
        {"timeline=1 now-timeline=2", START_CREATE, 0, "ni", 0}, /* never started */
    };
    static const struct refusal refusals[] = {
        {"checkpoint=100 slot=90 now-timeline=2 left=99", 5, "promoted to timeline 2",
         "--new-epoch"},
    };

    check_rows(rows, ARRAY_LEN(rows));
    check_refusals(refusals, ARRAY_LEN(refusals));
}

static void
rule_05_a_timeline_that_nobody_knows_is_refused(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct start_facts facts = facts_of("checkpoint=100 slot=90 timeline=3 now-timeline=2");
    struct start_plan plan;

    facts.server.switch_found = false;
    plan = start_decide(&facts, arena);
    CHECK_INT(plan.action, START_REFUSE);
    CHECK_INT(plan.rule, 5);
}

static void
rule_05_a_new_epoch_forgets_positions(void **state UNUSED)
{
    static const struct row rows[] = {
        {"checkpoint=100 of-cluster-other new-epoch", START_CREATE, 0, "rni", 1},
        {"checkpoint=100 of-cluster-other new-epoch epoch=4", START_CREATE, 0, "rni", 5},
        {"checkpoint=5000 new-epoch", START_CREATE, 0, "rni", 1},
        {"checkpoint=100 new-epoch now-timeline=2 left=50", START_CREATE, 0, "rni", 1},
        {"new-epoch", START_CREATE, 0, "ni", 1},
        {"checkpoint=100 of-cluster-other new-epoch slot=70 from=80", START_ADOPT, 80, "rni", 1},
    };
    static const struct refusal refusals[] = {
        {"checkpoint=100 of-cluster-other new-epoch slot=70", 11, "no checkpoint", "--from-lsn"},
    };

    check_rows(rows, ARRAY_LEN(rows));
    check_refusals(refusals, ARRAY_LEN(refusals));
}

static void
rule_11_a_slot_of_ours_goes_on_at_its_checkpoint(void **state UNUSED)
{
    static const struct row rows[] = {
        {"checkpoint=100 slot=100", START_STREAM, 100, "", 0},
        {"checkpoint=100 slot=90", START_STREAM, 100, "", 0},
        {"checkpoint=100 slot=90 epoch=3", START_STREAM, 100, "", 3},
        {"checkpoint=100 slot=90 unreserved", START_STREAM, 100, "", 0}, /* not lost yet */
        {"checkpoint=100 slot=90 pub-unknown", START_STREAM, 100, "", 0},
        {"checkpoint=100 slot=90 no-create", START_STREAM, 100, "", 0},
        {"checkpoint=1000 slot=90 log-end=1000", START_STREAM, 1000, "", 0},
    };

    check_rows(rows, ARRAY_LEN(rows));
}

static void
rule_11_a_slot_that_is_not_ours_is_refused(void **state UNUSED)
{
    static const struct refusal rows[] = {
        {"slot=90", 11, "no checkpoint", "--from-lsn 0/5A"},
        {"slot=90 memory", 11, "memory", "--slot"},
        {"slot=90 physical", 11, "physical", "never drops"},
        {"checkpoint=100 slot=90 wal2json", 11, "wal2json", "--slot"},
        {"slot=90 in-other", 11, "database \"other\"", "--slot"},
        {"slot=90 temporary", 11, "temporary", "--slot"},
        {"slot=90 wal2json from=90", 11, "wal2json", "never drops"},
        {"slot=90 wal2json intent", 11, "wal2json", "never drops"},
        {"checkpoint=100 slot=90 of-slot-other", 11, "slot \"other\"", "--slot other"},
        {"checkpoint=100 of-slot-other", 11, "slot \"other\"", "--slot other"},
        {"checkpoint=100 slot=90 of-slot-other gap", 11, "no checkpoint for it", "--from-lsn"},
        {"checkpoint=100 slot=90 of-database-other", 11, "database \"other\"", "[state]"},
    };

    check_refusals(rows, ARRAY_LEN(rows));
}

/* The public program P1 dropped a slot of another plug-in without a word. */
static void
defect_p1_13_a_slot_of_another_plugin_is_never_dropped(void **state UNUSED)
{
    static const char *const options[] = {"",
                                          "gap",
                                          "new-epoch",
                                          "from=95",
                                          "no-create",
                                          "intent",
                                          "memory",
                                          "checkpoint=100",
                                          "checkpoint=100 gap new-epoch intent"};

    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct start_facts facts = facts_of(options[i]);

        slot(&facts, 90);
        wal2json(&facts, 0);
        CHECK_INT(start_decide(&facts, arena).action, START_REFUSE);
    }
}

static void
rule_11_a_lost_slot_is_refused(void **state UNUSED)
{
    static const struct refusal rows[] = {
        {"checkpoint=100 slot=90 lost", 11, "invalidated", "pg_drop_replication_slot('ours')"},
        {"checkpoint=100 slot=90 invalid", 11, "rows_removed", "pg_drop_replication_slot('ours')"},
        {"slot=90 lost from=95", 11, "invalidated", "pg_drop_replication_slot('ours')"},
        {"checkpoint=100", 11, "is gone", "--accept-gap"},
        {"checkpoint=100 no-create", 11, "no slot", "--create-slot"},
        {"no-create", 11, "no slot", "--create-slot"},
        {"from=100", 11, "no slot", "without --from-lsn"},
    };

    check_refusals(rows, ARRAY_LEN(rows));
}

static void
rule_11_confirmed_past_our_checkpoint_is_refused(void **state UNUSED)
{
    static const struct refusal rows[] = {
        {"checkpoint=100 slot=101", 11, "0/65", "--from-lsn 0/65 --accept-gap"},
        {"checkpoint=100 slot=101 gap", 11, "past our checkpoint", "--from-lsn"},
    };

    check_refusals(rows, ARRAY_LEN(rows));
}

static void
rule_11_a_publication_made_later_is_refused(void **state UNUSED)
{
    static const struct refusal rows[] = {
        {"checkpoint=100 slot=90 pub-gone", 11, "is gone", "--accept-gap"},
        {"checkpoint=100 slot=90 pub-remade", 11, "made again", "--accept-gap"},
        {"slot=90 from=95 pub-gone", 11, "does not exist", "make the publication"},
        {"checkpoint=100 slot=90 from=100 pub-gone", 11, "does not exist", "make the publication"},
    };

    check_refusals(rows, ARRAY_LEN(rows));
}

static void
rule_11_from_lsn_adopts_or_moves(void **state UNUSED)
{
    static const struct row rows[] = {
        {"slot=90 from=90", START_ADOPT, 90, "ni", 0},
        {"slot=90 from=200", START_ADOPT, 200, "ni", 0},
        {"slot=90 from=90 memory", START_ADOPT, 90, "ni", 0},
        {"slot=90 from=90 intent no-create", START_ADOPT, 90, "ni", 0},
        {"checkpoint=100 slot=90 from=95", START_STREAM, 95, "r", 0}, /* reads again */
        {"checkpoint=100 slot=90 from=100", START_STREAM, 100, "r", 0},
        {"checkpoint=100 slot=90 from=150 gap", START_STREAM, 150, "rn", 0},
        {"checkpoint=100 slot=101 from=101 gap", START_STREAM, 101, "rn", 0},
        {"checkpoint=100 slot=90 from=150 gap pub-remade", START_STREAM, 150, "rn", 0},
        {"checkpoint=100 slot=90 of-slot-other from=100", START_ADOPT, 100, "r", 0},
    };
    static const struct refusal refusals[] = {
        {"slot=90 from=89", 11, "silently", "--from-lsn 0/5A"},
        {"checkpoint=100 slot=90 from=89", 11, "silently", "--from-lsn 0/5A"},
        {"checkpoint=100 slot=90 from=89 gap", 11, "silently", "--from-lsn 0/5A"},
        {"checkpoint=100 slot=90 from=101", 11, "skips", "--accept-gap"},
        {"checkpoint=100 slot=90 of-slot-other from=101", 11, "skips", "--accept-gap"},
    };

    check_rows(rows, ARRAY_LEN(rows));
    check_refusals(refusals, ARRAY_LEN(refusals));
}

static void
rule_11_our_unrecorded_slot_is_dropped_and_made_again(void **state UNUSED)
{
    static const struct row rows[] = {
        {"slot=90 intent", START_DROP_AND_CREATE, 0, "ni", 0},
        {"slot=90 intent lost", START_DROP_AND_CREATE, 0, "ni", 0},
        {"checkpoint=50 slot=90 intent", START_DROP_AND_CREATE, 0, "rn", 0}, /* after a gap */
        {"intent", START_CREATE, 0, "ni", 0},
    };
    static const struct refusal refusals[] = {
        {"slot=90 intent of-slot-other", 11, "no checkpoint", "--from-lsn"},
        {"slot=90 intent of-cluster-other", 11, "no checkpoint", "--from-lsn"},
        {"slot=90 intent no-create", 11, "no checkpoint", "--from-lsn"},
        {"slot=90 intent memory", 11, "memory", "--slot"},
    };

    check_rows(rows, ARRAY_LEN(rows));
    check_refusals(refusals, ARRAY_LEN(refusals));
}

static void
rule_12_a_first_start_makes_the_slot(void **state UNUSED)
{
    static const struct row rows[] = {
        {"", START_CREATE, 0, "ni", 0},
        {"pub-gone", START_CREATE, 0, "ni", 0},
        {"memory", START_CREATE, 0, "nit", 0},
        {"checkpoint=100 gap", START_CREATE, 0, "rn", 0},
        {"checkpoint=100 gap pub-gone", START_CREATE, 0, "rn", 0},
        {"checkpoint=100 of-slot-other gap", START_CREATE, 0, "rn", 0},
    };

    check_rows(rows, ARRAY_LEN(rows));
}

static void
rule_29_a_slot_with_two_phase_is_refused(void **state UNUSED)
{
    static const struct refusal rows[] = {
        {"checkpoint=100 slot=90 two-phase", 29, "two_phase", "--slot"},
        {"slot=90 two-phase from=90", 29, "two_phase", "--slot"},
    };

    check_refusals(rows, ARRAY_LEN(rows));
}

/*
 * Over all combinations of facts: what is not refused never skips a position.  The property behind
 * the rules, stated once more without their order.
 */
static void
nothing_is_ever_skipped_without_being_told_to(void **state UNUSED)
{
    static const char *const records[] = {
        "",       "checkpoint=100", "checkpoint=100 intent",
        "intent", "memory",         "checkpoint=100 of-slot-other"};
    static const char *const slots[] = {"",         "slot=90",      "slot=100",
                                        "slot=110", "slot=90 lost", "slot=90 pub-gone"};
    static const char *const options[] = {"",          "from=80",           "from=95",  "from=105",
                                          "new-epoch", "from=95 new-epoch", "no-create"};
    static const char *const servers[] = {"", "of-cluster-other", "now-timeline=2 left=99",
                                          "now-timeline=2 left=100", "log-end=99"};
    size_t decided = 0;

    for (size_t n = 0;
         n < ARRAY_LEN(records) * ARRAY_LEN(slots) * ARRAY_LEN(options) * ARRAY_LEN(servers); n++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        size_t m = n;
        struct start_facts facts;
        struct start_plan plan;
        char text[256];

        snprintf(text, sizeof(text), "%s %s", records[m % ARRAY_LEN(records)],
                 slots[m / ARRAY_LEN(records) % ARRAY_LEN(slots)]);
        m /= ARRAY_LEN(records) * ARRAY_LEN(slots);
        snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s %s",
                 options[m % ARRAY_LEN(options)], servers[m / ARRAY_LEN(options)]);
        facts = facts_of(text + strspn(text, " "));
        plan = start_decide(&facts, arena);
        if (plan.action == START_REFUSE)
            continue;
        decided++;
        if (facts.server.slot_exists && plan.lsn && plan.lsn < facts.server.slot_confirmed_flush)
            fail_msg("\"%s\": begins at %llu, where the server would not", text,
                     (unsigned long long)plan.lsn);
        if (facts.record.has_started && !plan.not_backfilled &&
            (plan.lsn > facts.record.checkpoint || plan.lsn == 0 ||
             facts.record.checkpoint > facts.server.wal_end ||
             strcmp(facts.record.system_id, facts.server.system_id) != 0))
            fail_msg("\"%s\": %s skips changes", text, plan.text);
    }
    CHECK(decided > 50); /* the loop did see starts */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_05_another_cluster_is_refused),
        cmocka_unit_test(rule_05_another_timeline_goes_on_where_it_left_after_us),
        cmocka_unit_test(rule_05_a_timeline_that_nobody_knows_is_refused),
        cmocka_unit_test(rule_05_a_new_epoch_forgets_positions),
        cmocka_unit_test(rule_11_a_slot_of_ours_goes_on_at_its_checkpoint),
        cmocka_unit_test(rule_11_a_slot_that_is_not_ours_is_refused),
        cmocka_unit_test(defect_p1_13_a_slot_of_another_plugin_is_never_dropped),
        cmocka_unit_test(rule_11_a_lost_slot_is_refused),
        cmocka_unit_test(rule_11_confirmed_past_our_checkpoint_is_refused),
        cmocka_unit_test(rule_11_a_publication_made_later_is_refused),
        cmocka_unit_test(rule_11_from_lsn_adopts_or_moves),
        cmocka_unit_test(rule_11_our_unrecorded_slot_is_dropped_and_made_again),
        cmocka_unit_test(rule_12_a_first_start_makes_the_slot),
        cmocka_unit_test(rule_29_a_slot_with_two_phase_is_refused),
        cmocka_unit_test(nothing_is_ever_skipped_without_being_told_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
