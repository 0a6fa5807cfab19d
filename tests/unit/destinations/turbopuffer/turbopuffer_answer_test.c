/* turbopuffer_answer: every status, unknown outcomes, and texts for people. */
#include "destinations/turbopuffer/turbopuffer_answer.h"

#include "harness/check.h"

static bool
judge(int status, const char *body, enum http_retry_advice advice, int64_t retry_after_ms,
      struct destination_result *result, bool *remain, struct err *err)
{
    const struct http_response response = {
        .status = status,
        .connected = true,
        .sent = true,
        .retry_after_ms = retry_after_ms,
        .should_retry = advice,
        .body = span_of(body),
    };

    *result = (struct destination_result){0};
    *err = (struct err){0};
    return turbopuffer_answer(&response, "tpuf_secret", remain, result, err);
}

static void
rule_16_every_status_has_its_kind(void **state UNUSED)
{
    static const struct {
        int status;
        enum err_kind kind;
        bool unknown;
    } cases[] = {
        {202, ERR_TRANSIENT, true},  {201, ERR_CONFIG, true},     {204, ERR_CONFIG, true},
        {100, ERR_CONFIG, true},     {301, ERR_CONFIG, false},    {307, ERR_CONFIG, false},
        {400, ERR_DATA, false},      {401, ERR_CONFIG, false},    {402, ERR_CONFIG, false},
        {403, ERR_CONFIG, false},    {404, ERR_CONFIG, false},    {405, ERR_CONFIG, false},
        {408, ERR_TRANSIENT, true},  {409, ERR_TRANSIENT, false}, {413, ERR_DATA, false},
        {418, ERR_CONFIG, false},    {422, ERR_DATA, false},      {425, ERR_TRANSIENT, false},
        {429, ERR_TRANSIENT, false}, {451, ERR_CONFIG, false},    {500, ERR_TRANSIENT, true},
        {502, ERR_TRANSIENT, true},  {503, ERR_TRANSIENT, true},  {504, ERR_TRANSIENT, true},
        {599, ERR_TRANSIENT, true},  {600, ERR_CONFIG, true},     {999, ERR_CONFIG, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct destination_result result;
        struct err err;
        bool remain;

        CHECK(!judge(cases[i].status, "x", HTTP_RETRY_UNSAID, 0, &result, &remain, &err));
        if (err.kind != cases[i].kind || result.unknown != cases[i].unknown)
            fail_msg("%d: kind %d, unknown %d", cases[i].status, err.kind, result.unknown);
        CHECK_INT(err.code, cases[i].status);
    }
}

static void
defect_p1_14_refusals_are_not_tried_again(void **state UNUSED)
{
    static const int transient[] = {408, 409, 425, 429};

    for (int status = 400; status < 500; status++) {
        struct destination_result result;
        struct err err;
        bool remain, want = false;

        for (size_t i = 0; i < ARRAY_LEN(transient); i++)
            want |= transient[i] == status;
        CHECK(!judge(status, "x", HTTP_RETRY_UNSAID, 0, &result, &remain, &err));
        if ((err.kind == ERR_TRANSIENT) != want)
            fail_msg("%d: kind %d", status, err.kind);
    }
}

static void
the_services_advice_goes_above_the_table(void **state UNUSED)
{
    static const struct {
        int status;
        enum http_retry_advice advice;
        enum err_kind kind;
    } cases[] = {
        {400, HTTP_RETRY_YES, ERR_TRANSIENT}, {403, HTTP_RETRY_YES, ERR_TRANSIENT},
        {503, HTTP_RETRY_YES, ERR_TRANSIENT}, {503, HTTP_RETRY_NO, ERR_CONFIG},
        {429, HTTP_RETRY_NO, ERR_CONFIG},     {400, HTTP_RETRY_NO, ERR_DATA},
        {401, HTTP_RETRY_NO, ERR_CONFIG},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct destination_result result;
        struct err err;
        bool remain;

        CHECK(!judge(cases[i].status, "x", cases[i].advice, 0, &result, &remain, &err));
        CHECK_INT(err.kind, cases[i].kind);
    }
}

static void
only_the_services_word_is_a_confirmation(void **state UNUSED)
{
    static const struct {
        const char *body;
        bool done, remain;
    } cases[] = {
        {"{\"status\":\"OK\"}", true, false},
        {"{\"status\":\"OK\",\"rows_affected\":3,\"rows_remaining\":true}", true, true},
        {"{\"status\":\"OK\",\"rows_remaining\":false}", true, false},
        {"{\"message\":\"hello\",\"status\":\"OK\",\"billing\":{\"x\":1}}", true, false},
        {"{\"status\":\"error\"}", false, false},
        {"{\"status\":7}", false, false},
        {"{}", false, false},
        {"[]", false, false},
        {"", false, false},
        {"<html>Welcome</html>", false, false},
        {"{\"status\":\"OK\"", false, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct destination_result result;
        struct err err;
        bool remain;

        CHECK_INT(judge(200, cases[i].body, HTTP_RETRY_UNSAID, 0, &result, &remain, &err),
                  cases[i].done);
        CHECK_INT(result.unknown, !cases[i].done);
        CHECK_INT(remain, cases[i].remain);
        if (!cases[i].done)
            CHECK_STR(err.text, "200 without the confirmation of a turbopuffer: check base_url in "
                                "[turbopuffer]");
    }
}

static void
texts_are_for_people(void **state UNUSED)
{
    static const struct {
        int status;
        const char *body, *want;
    } cases[] = {
        {400, "{\"status\":\"error\",\"error\":\"bad thing\"}",
         "turbopuffer answered 400: bad thing"},
        {400, "{\"status\":\"error\",\"error\":\"line\\none\",\"attribute\":\"x\"}",
         "turbopuffer answered 400: line one"},
        {400, "Invalid namespace name\n", "turbopuffer answered 400: Invalid namespace name"},
        {400, "{\"detail\":\"other\"}", "turbopuffer answered 400: {\"detail\":\"other\"}"},
        {400, "{\"error\":7}", "turbopuffer answered 400: {\"error\":7}"},
        {422, "", "turbopuffer answered 422"},
        {401, "nope",
         "turbopuffer answered 401: nope (the API key was refused: check api_key in "
         "[turbopuffer])"},
        {429, "slow down", "turbopuffer answered 429: slow down (throttled)"},
        {202, "", "turbopuffer answered 202 (accepted but not done)"},
        {400, "your key tpuf_secret is bad", "turbopuffer answered 400: your key * is bad"},
        {400, "{\"error\":\"Bearer tpuf_secret\"}", "turbopuffer answered 400: Bearer *"},
        {500, "caf\xE9 closed", "turbopuffer answered 500: caf"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct destination_result result;
        struct err err;
        bool remain;

        CHECK(!judge(cases[i].status, cases[i].body, HTTP_RETRY_UNSAID, 0, &result, &remain, &err));
        CHECK_STR(err.text, cases[i].want);
    }
}

static void
long_texts_are_cut_and_keep_no_half_secret(void **state UNUSED)
{
    static char body[2000];
    struct destination_result result;
    struct err err;
    bool remain;

    memset(body, 'x', sizeof(body) - 1);
    memcpy(body + 395, "tpuf_secret", 11);
    CHECK(!judge(400, body, HTTP_RETRY_UNSAID, 0, &result, &remain, &err));
    CHECK(strlen(err.text) < 450);
    CHECK(!strstr(err.text, "tpuf"));
}

static void
honours_waits_under_half_an_hour(void **state UNUSED)
{
    static const struct {
        int64_t asked_ms, want_ms;
    } cases[] = {{0, 0}, {250, 250}, {1799999, 1799999}, {1800000, 0}, {INT64_MAX, 0}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct destination_result result;
        struct err err;
        bool remain;

        CHECK(!judge(429, "x", HTTP_RETRY_UNSAID, cases[i].asked_ms, &result, &remain, &err));
        CHECK_INT(result.retry_after_ms, cases[i].want_ms);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_16_every_status_has_its_kind),
        cmocka_unit_test(defect_p1_14_refusals_are_not_tried_again),
        cmocka_unit_test(the_services_advice_goes_above_the_table),
        cmocka_unit_test(only_the_services_word_is_a_confirmation),
        cmocka_unit_test(texts_are_for_people),
        cmocka_unit_test(long_texts_are_cut_and_keep_no_half_secret),
        cmocka_unit_test(honours_waits_under_half_an_hour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
