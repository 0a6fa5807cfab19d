/* preflight: poolers by their addresses. */
#include "source/preflight.h"

#include "harness/check.h"

static void
knows_poolers(void **state UNUSED)
{
    static const struct {
        const char *host, *port, *want; /* part of the name; NULL: no pooler */
    } cases[] = {
        {"ep-cool-1-pooler.eu-central-1.aws.neon.tech", "5432", "Neon"},
        {"ep-cool-1.eu-central-1.aws.neon.tech", "5432", NULL},
        {"aws-0-eu-central-1.pooler.supabase.com", "5432", "Supabase"},
        {"aws-0-eu-central-1.pooler.supabase.com", "6543", "Supabase"},
        {"db.abc.supabase.co", "6543", "Supabase"},
        {"db.abc.supabase.co", "5432", NULL},
        {"app.proxy-abc123.eu-west-1.rds.amazonaws.com", "5432", "RDS Proxy"},
        {"app.abc123.eu-west-1.rds.amazonaws.com", "5432", NULL},
        {"eu.connect.psdb.cloud", "6432", "PlanetScale"},
        {"db-1.b.db.ondigitalocean.com", "25061", "DigitalOcean"},
        {"db-1.b.db.ondigitalocean.com", "25060", NULL},
        {"10.0.0.1", "6432", "PgBouncer"},
        {"10.0.0.1", "5432", NULL},
        {"", "", NULL},
        {"/var/run/postgresql", "5432", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *remedy = NULL, *got = pooler_known(cases[i].host, cases[i].port, &remedy);

        if ((got == NULL) != (cases[i].want == NULL) ||
            (got && (!strstr(got, cases[i].want) || !remedy)))
            fail_msg("%s:%s: got %s, want %s", cases[i].host, cases[i].port, got ? got : "none",
                     cases[i].want ? cases[i].want : "none");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_poolers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
