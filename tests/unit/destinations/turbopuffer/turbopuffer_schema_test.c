/* turbopuffer_schema: declarations, refusals and named losses. */
#include "destinations/turbopuffer/turbopuffer_schema.h"

#include "harness/check.h"
#include "harness/target.h"

/* What `check` says about a column, as "severity: text\n  remedy\n". */
static void
put_findings(const struct report *report, struct buf *out)
{
    static const char letters[] = "nwe"; /* note, warning, error */

    for (const struct finding *f = report->first; f; f = f->next)
        buf_putf(out, "%c: %s%s%s\n", letters[f->severity], f->text, f->remedy ? " | " : "",
                 f->remedy ? f->remedy : "");
}

static bool
make(struct arena *arena, const struct target_column *column, struct buf *findings,
     struct turbopuffer_attribute *ret)
{
    const struct target_column columns[] = {{.name = "key", .kind = TYPE_INT8}, *column};
    struct mapping *mapping = target_mapping(arena, columns, 2);
    struct report report = report_make(arena);
    bool ok = turbopuffer_attribute_make(mapping, 0, arena, &report, ret);

    put_findings(&report, findings);
    CHECK_INT(ok, report.count[SEVERITY_ERROR] == 0);
    return ok;
}

static void
declares_types_and_options(void **state UNUSED)
{
    static const struct {
        struct target_column column;
        const char *want;
        bool filterable;
    } cases[] = {
        {{.name = "n", .kind = TYPE_INT4}, "\"n\":\"int\"", true},
        {{.name = "a\"b", .kind = TYPE_BOOL}, "\"a\\\"b\":\"bool\"", true},
        {{.name = "s", .kind = TYPE_TEXT}, "\"s\":{\"type\":\"string\"}", true},
        {{.name = "s", .kind = TYPE_TEXT, .array = true}, "\"s\":{\"type\":\"[]string\"}", true},
        {{.name = "p", .kind = TYPE_NUMERIC, .hint = "\"float\""}, "\"p\":\"float\"", true},
        {{.name = "t", .kind = TYPE_TIMESTAMPTZ}, "\"t\":\"datetime\"", true},
        {{.name = "t", .kind = TYPE_TIMESTAMPTZ, .hint = "{\"exact\":true}"},
         "\"t\":{\"type\":\"string\"}",
         true},
        {{.name = "t", .kind = TYPE_TIMESTAMPTZ, .exact = true},
         "\"t\":{\"type\":\"string\"}",
         true},
        {{.name = "t", .kind = TYPE_TIMESTAMPTZ, .hint = "{\"exact\":true,\"type\":\"int\"}"},
         "\"t\":{\"type\":\"int\"}",
         true},
        {{.name = "s", .kind = TYPE_TEXT, .hint = "{\"filterable\":false}"},
         "\"s\":{\"type\":\"string\",\"filterable\":false}",
         false},
        {{.name = "s", .kind = TYPE_TEXT, .hint = "{\"full_text_search\":true}"},
         "\"s\":{\"type\":\"string\",\"full_text_search\":true}",
         false},
        {{.name = "s",
          .kind = TYPE_TEXT,
          .hint = "{\"full_text_search\":{\"tokenizer\":\"word_v3\",\"language\":\"german\","
                  "\"stemming\":true,\"max_token_length\":40,\"k1\":1.2},\"filterable\":true}"},
         "\"s\":{\"type\":\"string\",\"full_text_search\":{\"tokenizer\":\"word_v3\",\"language\":"
         "\"german\",\"stemming\":true,\"max_token_length\":40,\"k1\":1.2},\"filterable\":true}",
         true},
        {{.name = "s", .kind = TYPE_TEXT, .hint = "{\"full_text_search\":false,\"regex\":true}"},
         "\"s\":{\"type\":\"string\",\"full_text_search\":false,\"regex\":true}",
         false},
        {{.name = "s", .kind = TYPE_TEXT, .hint = "{\"glob\":true,\"fuzzy\":true}"},
         "\"s\":{\"type\":\"string\",\"glob\":true,\"fuzzy\":true}",
         false},
        {{.name = "s",
          .kind = TYPE_TEXT,
          .hint = "{\"embed\":{\"model\":\"m\",\"attribute\":\"e\",\"dims\":768}}"},
         "\"s\":{\"type\":\"string\",\"embed\":{\"model\":\"m\",\"attribute\":\"e\",\"dims\":768}}",
         true},
        {{.name = "v", .kind = TYPE_VECTOR, .typmod = 3},
         "\"v\":{\"type\":\"[3]f32\",\"ann\":true}",
         false},
        {{.name = "v", .kind = TYPE_VECTOR, .hint = "\"[4]f16\""},
         "\"v\":{\"type\":\"[4]f16\",\"ann\":true}",
         false},
        {{.name = "v",
          .kind = TYPE_HALFVEC,
          .typmod = 3,
          .hint = "{\"ann\":{\"distance_metric\":\"cosine_distance\"}}"},
         "\"v\":{\"type\":\"[3]f16\",\"ann\":{\"distance_metric\":\"cosine_distance\"}}",
         false},
        {{.name = "w",
          .kind = TYPE_JSON,
          .hint = "{\"type\":\"{}f16\",\"sparse_knn\":{\"distance_metric\":\"dot_product\"}}"},
         "\"w\":{\"type\":\"{}f16\",\"sparse_knn\":{\"distance_metric\":\"dot_product\"}}",
         false},
        {{.name = "b", .kind = TYPE_BYTEA, .hint = "\"bytes\""}, "\"b\":\"bytes\"", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        CLEANUP(buf_free) struct buf findings = buf_make(10000);
        struct turbopuffer_attribute attribute;

        if (!make(arena, &cases[i].column, &findings, &attribute))
            fail_msg("%s: %s", cases[i].want, findings.ptr);
        CHECK_SPAN(attribute.declaration, cases[i].want);
        CHECK_INT(attribute.filterable, cases[i].filterable);
        CHECK_INT(attribute.cell.max_bytes, attribute.filterable ? 4096 : 8 * 1024 * 1024);
    }
}

static void
refuses_with_a_remedy(void **state UNUSED)
{
    static const char long_name[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    static const struct {
        struct target_column column;
        const char *want; /* the beginning of what is said after "e: " */
    } cases[] = {
        {{.name = "", .kind = TYPE_TEXT}, "column  (text): an attribute name has 1 to 128 bytes"},
        {{.name = long_name, .kind = TYPE_TEXT}, "column xxx"},
        {{.name = "$x", .kind = TYPE_TEXT},
         "column $x (text): an attribute name cannot begin with $"},
        {{.name = "__source_lsn", .kind = TYPE_INT8},
         "column __source_lsn (int8): this name is taken"},
        {{.name = "__source_seq", .kind = TYPE_INT8},
         "column __source_seq (int8): this name is taken"},
        {{.name = "__deleted", .kind = TYPE_BOOL}, "column __deleted (bool): this name is taken"},
        {{.name = "id", .kind = TYPE_TEXT}, "column id (text): this name is taken"},
        {{.name = "s", .kind = TYPE_TEXT, .hint = "\"text\""},
         "[target.schema] s: text is no type of turbopuffer; there are string, int,"},
        {{.name = "s", .kind = TYPE_TEXT, .hint = "7"},
         "[target.schema] s: the entry is a type in quotes or a table of options"},
        {{.name = "s", .kind = TYPE_TEXT, .hint = "{\"filterabel\":true}"},
         "[target.schema] s: there is no option \"filterabel\"; did you mean \"filterable\"?"},
        {{.name = "s", .kind = TYPE_TEXT, .hint = "{\"filterable\":1}"},
         "[target.schema] s: filterable is true or false"},
        {{.name = "s", .kind = TYPE_TEXT, .hint = "{\"type\":7}"},
         "[target.schema] s: type is a type in quotes"},
        {{.name = "s",
          .kind = TYPE_TEXT,
          .hint = "{\"full_text_search\":{\"language\":\"klingon\"}}"},
         "[target.schema] s: language cannot be \"klingon\"; it is one of arabic, danish,"},
        {{.name = "s",
          .kind = TYPE_TEXT,
          .hint = "{\"full_text_search\":{\"max_token_length\":255}}"},
         "[target.schema] s: max_token_length is out of its range"},
        {{.name = "s",
          .kind = TYPE_TEXT,
          .hint = "{\"full_text_search\":{\"max_token_length\":1.5}}"},
         "[target.schema] s: max_token_length is out of its range"},
        {{.name = "s", .kind = TYPE_TEXT, .hint = "{\"full_text_search\":{\"k2\":1}}"},
         "[target.schema] s: there is no option \"k2\""},
        {{.name = "s", .kind = TYPE_TEXT, .hint = "{\"sparse_knn\":true}"},
         "[target.schema] s: sparse_knn is a table of options"},
        {{.name = "s", .kind = TYPE_TEXT, .hint = "{\"embed\":1}"},
         "[target.schema] s: embed is a text in quotes"},
        {{.name = "n", .kind = TYPE_INT4, .hint = "{\"full_text_search\":true}"},
         "column n (int4): full_text_search, regex, glob and fuzzy need the type string"},
        {{.name = "n", .kind = TYPE_INT4, .hint = "{\"ann\":true}"},
         "column n (int4): ann is for dense vectors"},
        {{.name = "n", .kind = TYPE_INT4, .hint = "{\"embed\":\"m\"}"},
         "column n (int4): embed needs the type string"},
        {{.name = "s",
          .kind = TYPE_TEXT,
          .hint = "{\"sparse_knn\":{\"distance_metric\":\"dot_product\"}}"},
         "column s (text): sparse_knn is for the type {}f16"},
        {{.name = "v", .kind = TYPE_VECTOR, .typmod = 3, .hint = "{\"filterable\":true}"},
         "column v (vector): vectors and bytes cannot be filterable"},
        {{.name = "v", .kind = TYPE_VECTOR, .typmod = 3, .hint = "{\"ann\":false}"},
         "column v (vector): turbopuffer keeps dense vectors with ann only"},
        {{.name = "v", .kind = TYPE_VECTOR},
         "column v (vector): the number of dimensions is not known"},
        {{.name = "v", .kind = TYPE_VECTOR, .typmod = 3, .hint = "\"[4]f32\""},
         "column v (vector): [target.schema] names another number of dimensions"},
        {{.name = "v", .kind = TYPE_VECTOR, .typmod = 16000},
         "column v (vector): turbopuffer holds at most 10752 dimensions"},
        {{.name = "s", .kind = TYPE_TEXT, .hint = "\"int\""},
         "column s (text): cannot become int; possible are string, uuid"},
        {{.name = "t", .kind = TYPE_TIMESTAMP, .hint = "{\"exact\":true,\"type\":\"datetime\"}"},
         "column t (timestamp): exact = true, but the type in [target.schema] loses digits"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        CLEANUP(buf_free) struct buf findings = buf_make(10000);
        struct turbopuffer_attribute attribute;

        if (make(arena, &cases[i].column, &findings, &attribute))
            fail_msg("%s: taken", cases[i].want);
        if (strncmp(findings.ptr, "e: ", 3) != 0 ||
            strncmp(findings.ptr + 3, cases[i].want, strlen(cases[i].want)) != 0)
            fail_msg("got  %s\nwant e: %s...", findings.ptr, cases[i].want);
    }
}

static void
rule_31_check_names_every_loss(void **state UNUSED)
{
    static const struct {
        struct target_column column;
        const char *want;
    } cases[] = {
        {{.name = "n", .kind = TYPE_INT8}, ""},
        {{.name = "t", .kind = TYPE_TIMESTAMPTZ},
         "n: column t (timestamptz): milliseconds are kept, microseconds are cut off | "
         "[target.schema] t = { exact = true } keeps it as a string\n"
         "n: column t (timestamptz): infinity, years before 1 and years after 9999 have no form as "
         "datetime (ISO 8601); such a row becomes a dead letter (on_unrepresentable = "
         "\"dead_letter\") | [target.schema] t = { exact = true } keeps it as a string\n"},
        {{.name = "t", .kind = TYPE_TIMESTAMPTZ, .exact = true}, ""},
        {{.name = "f", .kind = TYPE_FLOAT8},
         "n: column f (float8): NaN and infinity have no form in JSON; such a row becomes a dead "
         "letter (on_unrepresentable = \"dead_letter\") | [target.schema] f = { exact = true } "
         "keeps it as a string\n"},
        {{.name = "p", .kind = TYPE_NUMERIC, .hint = "\"float\""},
         "n: column p (numeric): about 16 significant digits are kept\n"
         "n: column p (numeric): NaN, infinity and values beyond 1.8e308 have no form as float; "
         "such a row becomes a dead letter (on_unrepresentable = \"dead_letter\")\n"},
        {{.name = "p", .kind = TYPE_NUMERIC}, ""},
        {{.name = "a", .kind = TYPE_INT4, .array = true},
         "n: column a (int4): arrays with nulls inside or with several dimensions have no form "
         "here; such a row becomes a dead letter (on_unrepresentable = \"dead_letter\") | "
         "[target.schema] a = { exact = true } keeps it as a string\n"},
        {{.name = "s", .kind = TYPE_TEXT},
         "n: column s (text): a value over 4 KiB becomes a dead letter while the attribute is "
         "filterable | [target.schema] s = { filterable = false }\n"},
        {{.name = "Größe s", .kind = TYPE_TEXT},
         "n: column Größe s (text): a value over 4 KiB becomes a dead letter while the attribute "
         "is "
         "filterable | [target.schema] \"Größe s\" = { filterable = false }\n"},
        {{.name = "s", .kind = TYPE_TEXT, .typmod = 255 + 4}, ""},
        {{.name = "s", .kind = TYPE_TEXT, .typmod = 1025 + 4},
         "n: column s (text): a value over 4 KiB becomes a dead letter while the attribute is "
         "filterable | [target.schema] s = { filterable = false }\n"},
        {{.name = "s", .kind = TYPE_TEXT, .hint = "{\"filterable\":false}"}, ""},
        {{.name = "s", .kind = TYPE_TEXT, .hint = "{\"full_text_search\":true}"}, ""},
        {{.name = "e", .kind = TYPE_ENUM}, ""},
        {{.name = "v", .kind = TYPE_VECTOR, .typmod = 3, .hint = "\"[3]f16\""},
         "n: column v (vector): elements are rounded to 16 bits\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        CLEANUP(buf_free) struct buf findings = buf_make(10000);
        struct turbopuffer_attribute attribute;

        CHECK(make(arena, &cases[i].column, &findings, &attribute));
        CHECK_SPAN(buf_span(&findings), cases[i].want);
    }
}

static void
rule_31_says_when_null_is_written_instead(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(buf_free) struct buf findings = buf_make(10000);
    static const struct target_column columns[] = {{.name = "key", .kind = TYPE_INT8},
                                                   {.name = "f", .kind = TYPE_FLOAT8}};
    struct mapping *mapping = target_mapping(arena, columns, 2);
    struct report report = report_make(arena);
    struct turbopuffer_attribute attribute;

    mapping->on_unrepresentable = UNREPRESENTABLE_NULL;
    CHECK(turbopuffer_attribute_make(mapping, 0, arena, &report, &attribute));
    put_findings(&report, &findings);
    CHECK(strstr(findings.ptr, "such a value is written as null (on_unrepresentable = \"null\")"));
}

static void
names_the_type_of_ids(void **state UNUSED)
{
    static const struct {
        enum id_type type;
        bool encode_string;
        const char *want;
    } cases[] = {
        {ID_UINT, false, "uint"}, {ID_INT, false, "uint"},      {ID_INT, true, "string"},
        {ID_UUID, false, "uuid"}, {ID_STRING, false, "string"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct mapping mapping = {.id_type = cases[i].type,
                                  .id_encode_string = cases[i].encode_string};

        CHECK_STR(turbopuffer_id_type(&mapping), cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declares_types_and_options),
        cmocka_unit_test(refuses_with_a_remedy),
        cmocka_unit_test(rule_31_check_names_every_loss),
        cmocka_unit_test(rule_31_says_when_null_is_written_instead),
        cmocka_unit_test(names_the_type_of_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
