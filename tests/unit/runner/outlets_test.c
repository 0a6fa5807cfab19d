/* outlets: a destination is opened once, with its own settings, when a mapping writes to it. */
#include "runner/outlets.h"

#include "base/log.h"
#include "base/words.h"
#include "harness/check.h"
#include "harness/findings.h"
#include "harness/folder.h"

struct fixture {
    struct folder folder;
    struct arena *arena;
    struct report report;
    struct config config;
    struct outlets outlets;
};

static void
begin(struct fixture *f, const char *more)
{
    char text[1024];
    struct err err;

    *f = (struct fixture){.folder = folder_make(), .arena = arena_new("test")};
    f->report = report_make(f->arena);
    snprintf(text, sizeof(text), "[postgres]\nconnection_string = \"host=x\"\n%s", more);
    folder_write(&f->folder, "puffgres.toml", text);
    CHECK_OK(config_load(f->folder.path, f->arena, &f->report, &f->config, &err), err);
    f->config.file = "puffgres.toml";
    f->outlets = outlets_make(&f->config, f->arena);
}

static void
done(struct fixture *f)
{
    outlets_close(&f->outlets);
    folder_remove(&f->folder);
    arena_free(f->arena);
}

static void
names_what_exists(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    const char *const *names = outlet_names(arena);

    CHECK_INT(word_find(names, SPAN("turbopuffer")), 0); /* the one that is meant unless set */
    CHECK(word_find(names, SPAN("null")) > 0);
    CHECK(word_find(names, SPAN("stdout")) > 0);
}

static void
opens_each_once(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;
    struct destination *first, *again, *other;
    struct err err;

    begin(&f, "[turbopuffer]\napi_key = \"tpuf_hide_me\"\nnamespace_prefix = \"p-\"\n");
    CHECK_OK(outlets_get(&f.outlets, "turbopuffer", &first, &err), err);
    CHECK_OK(outlets_get(&f.outlets, "turbopuffer", &again, &err), err);
    CHECK_OK(outlets_get(&f.outlets, "null", &other, &err), err);
    CHECK(first == again && first != other);
}

static void
a_key_is_needed_only_where_it_is_used(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;
    struct destination *destination;
    struct err err;

    begin(&f, "[turbopuffer]\napi_key = \"${NO_SUCH_KEY_AT_ALL}\"\n");
    CHECK_OK(outlets_get(&f.outlets, "null", &destination, &err), err);
    CHECK(!outlets_get(&f.outlets, "turbopuffer", &destination, &err));
    CHECK_INT(err.kind, ERR_CONFIG);
    CHECK(strncmp(err.text, "puffgres.toml:4:11: ", 20) == 0);
    CHECK(strstr(err.text, "NO_SUCH_KEY_AT_ALL"));
}

static void
secrets_are_hidden_from_the_log(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;
    struct destination *destination;
    char text[128];
    struct err err;

    begin(&f, "[turbopuffer]\napi_key = \"tpuf_hide_me\"\n");
    CHECK_OK(outlets_get(&f.outlets, "turbopuffer", &destination, &err), err);
    CHECK_STR(log_redact(text, sizeof(text), "key tpuf_hide_me is wrong"), "key *** is wrong");
}

static void
unknown_settings_have_their_place(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;

    begin(&f, "[turbopuffer]\napi_kye = \"x\"\n[destinations.null]\nfast = true\n");
    outlets_check(&f.outlets, "turbopuffer", &f.report);
    outlets_check(&f.outlets, "null", &f.report);
    outlets_check(&f.outlets, "stdout", &f.report);
    CHECK_INT(f.report.count[SEVERITY_ERROR], 2);
    CHECK_STR(f.report.first->where, "puffgres.toml:4:1");
    CHECK_STR(f.report.first->text,
              "unknown key \"api_kye\" in [turbopuffer]; did you mean \"api_key\"?");
    CHECK_STR(f.report.last->where, "puffgres.toml:6:1");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_what_exists),
        cmocka_unit_test(opens_each_once),
        cmocka_unit_test(a_key_is_needed_only_where_it_is_used),
        cmocka_unit_test(secrets_are_hidden_from_the_log),
        cmocka_unit_test(unknown_settings_have_their_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
