/* datetime: ISO texts as numbers, at the edges of the calendar. */
#include "model/datetime.h"

#include "harness/check.h"

#define HOUR  INT64_C(3600000000)
#define DAY   (24 * HOUR)
#define Y1970 INT64_C(-10957) /* days from 2000-01-01 to 1970-01-01 */

struct read_case {
    const char *text;
    bool ok;
    int64_t want;
};

static void
check_read(const struct read_case *c, bool ok, int64_t got)
{
    if (ok != c->ok || (ok && got != c->want))
        fail_msg("\"%s\": got %d %lld, want %d %lld", c->text, ok, (long long)got, c->ok,
                 (long long)c->want);
}

/* Days as SELECT d - '2000-01-01' gives them. */
static void
reads_dates(void **state UNUSED)
{
    static const struct read_case cases[] = {
        {"1970-01-01", true, -10957},
        {"1969-12-31", true, -10958},
        {"2000-02-29", true, 59},
        {"2024-03-02", true, 8827},
        {"9999-12-31", true, 2921939},
        {"0001-01-01", true, -730119},
        {"0001-12-31 BC", true, -730120},
        {"0044-03-15 BC", true, -746117},
        {"4713-01-01 BC", true, -2451507},
        {"5874897-12-31", true, 2145031948},
        {"infinity", true, DATETIME_INFINITY},
        {"-infinity", true, DATETIME_NINFINITY},
        {"2023-02-29", false, 0},
        {"1900-02-29", false, 0},
        {"2024-04-31", false, 0},
        {"2024-13-01", false, 0},
        {"2024-00-01", false, 0},
        {"2024-01-00", false, 0},
        {"0000-01-01", false, 0},
        {"2024-1-1", false, 0},
        {"24-01-01", false, 0},
        {"2024-01-01 ", false, 0},
        {"2024-01-01 AD", false, 0},
        {"2024-01-01 10:00:00", false, 0},
        {"today", false, 0},
        {"", false, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t got = 0;
        bool ok = datetime_parse_date(span_of(cases[i].text), &got);

        check_read(&cases[i], ok, got);
    }
}

static void
reads_times(void **state UNUSED)
{
    static const struct read_case cases[] = {
        {"00:00:00", true, 0},
        {"10:30", true, 10 * HOUR + HOUR / 2},
        {"10:30:00", true, 10 * HOUR + HOUR / 2},
        {"00:00:01.5", true, 1500000},
        {"00:00:00.000001", true, 1},
        {"23:59:59.999999", true, DAY - 1},
        {"24:00:00", true, DAY},
        {"24:00:01", false, 0},
        {"25:00:00", false, 0},
        {"10:60:00", false, 0},
        {"10:00:60", false, 0},
        {"10:00:00.", false, 0},
        {"10:00:00.1234567", false, 0},
        {"10", false, 0},
        {"1:00", false, 0},
        {"10:00:00+00", false, 0},
        {"", false, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t got = 0;
        bool ok = datetime_parse_time(span_of(cases[i].text), &got);

        check_read(&cases[i], ok, got);
    }
}

static void
reads_timestamps(void **state UNUSED)
{
    static const struct read_case cases[] = {
        {"1970-01-01 00:00:00", true, Y1970 * DAY},
        {"1970-01-02", true, Y1970 * DAY + DAY},
        {"1970-01-01T01:00:00", true, Y1970 * DAY + HOUR},
        {"1969-12-31 23:00:00.5", true, Y1970 * DAY + 500000 - HOUR},
        {"2024-03-02 10:30:00.123456", true,
         Y1970 * DAY + 19784 * DAY + 10 * HOUR + HOUR / 2 + 123456},
        {"0044-03-15 10:00:00 BC", true, Y1970 * DAY - 735160 * DAY + 10 * HOUR},
        {"0044-03-15 BC", true, Y1970 * DAY - 735160 * DAY},
        {"294276-12-31 23:59:59.999999", true, INT64_C(9223371331199999999)},
        {"infinity", true, DATETIME_INFINITY},
        {"-infinity", true, DATETIME_NINFINITY},
        {"2024-03-02 10:00:00+00", false, 0},
        {"2024-03-02 10:00:00Z", false, 0},
        {"2024-03-02  10:00:00", false, 0},
        {"2024-03-02T", false, 0},
        {"9999999-01-01 00:00:00", false, 0},
        {"now", false, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t got = 0;
        bool ok = datetime_parse_timestamp(span_of(cases[i].text), false, &got);

        check_read(&cases[i], ok, got);
    }
}

static void
reads_timestamps_with_their_offset(void **state UNUSED)
{
    static const struct read_case cases[] = {
        {"1970-01-01 00:00:00+00", true, Y1970 * DAY},
        {"1970-01-01 00:00:00Z", true, Y1970 * DAY},
        {"1970-01-01 00:00:00-05", true, Y1970 * DAY + 5 * HOUR},
        {"1970-01-01 05:30:00+05:30", true, Y1970 * DAY},
        {"1970-01-01 05:30:00+0530", true, Y1970 * DAY},
        {"1970-01-01 00:19:32+00:19:32", true, Y1970 * DAY},
        {"1970-01-01 00:00:00.25+00", true, Y1970 * DAY + 250000},
        {"0044-03-15 10:00:00+00 BC", true, Y1970 * DAY - 735160 * DAY + 10 * HOUR},
        {"infinity", true, DATETIME_INFINITY},
        {"1970-01-01 00:00:00", false, 0},
        {"1970-01-01", false, 0},
        {"1970-01-01 00:00:00 UTC", false, 0},
        {"1970-01-01 00:00:00+", false, 0},
        {"1970-01-01 00:00:00+5", false, 0},
        {"1970-01-01 00:00:00+16", false, 0},
        {"1970-01-01 00:00:00+05:3", false, 0},
        {"1970-01-01 00:00:00+05:60", false, 0},
        {"1970-01-01 00:00:00+0560", false, 0},
        {"1970-01-01 00:00:00+05:30:60", false, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t got = 0;
        bool ok = datetime_parse_timestamp(span_of(cases[i].text), true, &got);

        check_read(&cases[i], ok, got);
    }
}

/* Every day of 800 years is one more than the day before. */
static void
days_follow_one_another(void **state UNUSED)
{
    int64_t before = 0, now;
    char text[48];

    CHECK(datetime_parse_date(SPAN("1599-12-31"), &before));
    for (int year = 1600; year < 2400; year++) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= 31; day++) {
                snprintf(text, sizeof(text), "%04d-%02d-%02d", year, month, day);
                if (!datetime_parse_date(span_of(text), &now))
                    continue;
                if (now != before + 1)
                    fail_msg("%s: %lld after %lld", text, (long long)now, (long long)before);
                before = now;
            }
        }
    }
    CHECK(datetime_parse_date(SPAN("2400-01-01"), &now));
    CHECK_INT(now, before + 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_dates),
        cmocka_unit_test(reads_times),
        cmocka_unit_test(reads_timestamps),
        cmocka_unit_test(reads_timestamps_with_their_offset),
        cmocka_unit_test(days_follow_one_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
