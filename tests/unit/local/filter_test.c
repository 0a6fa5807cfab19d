/* filter: the whole grammar, null below everything, and what is refused. */
#include "local/filter.h"

#include "unit/local/bench.h"

#define SCHEMA                                                                                     \
    "{'id':'uint','n':'int','u':'uint','f':'float','s':{'type':'string','filterable':true,"        \
    "'regex':true,'fuzzy':true,'glob':true},'b':'bool','d':'datetime','x':'uuid','tags':"          \
    "'[]string','nums':'[]int','text':{'type':'string','full_text_search':true},'raw':{'type':"    \
    "'string','filterable':false},'v':{'type':'[2]f32','ann':true},'globs':{'type':'[]string',"    \
    "'glob':true}}"

/* 1 has every value, 2 has none but its vector. */
#define ROWS                                                                                       \
    "[{'id':1,'n':5,'u':7,'f':1.5,'s':'Hello world','b':true,'d':'2024-03-02','x':"                \
    "'00000000-0000-0000-0000-00000000000A','tags':['red','blue'],'nums':[1,5,9],'text':"          \
    "'The quick brown fox','raw':'r','v':[1,0],'globs':['a.c','b.h']},{'id':2,'v':[0,1]}]"

/* Which of the two documents pass: "12", "1", "2" or "-"; or the refusal. */
static const char *
passing(struct bench *bench, const char *filter)
{
    char query[2048];
    const char *rows;

    snprintf(query, sizeof(query), "{'rank_by':['id','asc'],'filters':%s}", filter);
    rows = member(bench, bench_run(bench, query_run, "ns", query), "rows");
    if (rows[0] != '[')
        return rows;
    return strstr(rows, "1") ? (strstr(rows, "2") ? "12" : "1") : (strstr(rows, "2") ? "2" : "-");
}

static void
prepare(struct bench *bench)
{
    bench_open(bench, &limits_live);
    must_write(bench,
               "{'distance_metric':'cosine_distance','schema':" SCHEMA ",'upsert_rows':" ROWS "}");
}

struct filter_case {
    const char *filter, *want;
};

static void
check_cases(const struct filter_case *cases, size_t count)
{
    struct bench bench;

    prepare(&bench);
    for (size_t i = 0; i < count; i++)
        check_text(bench.arena, passing(&bench, cases[i].filter), cases[i].want, cases[i].filter);
    bench_close(&bench);
}

static void
scalars(void **state UNUSED)
{
    /* clang-format off */
    static const struct filter_case cases[] = {
        {"['n','Eq',5]",                        "1"},
        {"['n','Eq',6]",                        "-"},
        {"['n','NotEq',5]",                     "2"}, /* true for missing */
        {"['n','NotEq',6]",                     "12"},
        {"['n','Lt',6]",                        "12"}, /* missing is below everything */
        {"['n','Lt',5]",                        "2"},
        {"['n','Lte',5]",                       "12"},
        {"['n','Lte',4]",                       "2"},
        {"['n','Gt',4]",                        "1"},
        {"['n','Gt',5]",                        "-"},
        {"['n','Gte',5]",                       "1"},
        {"['n','Gte',-9223372036854775808]",    "1"},
        {"['n','In',[4,5]]",                    "1"},
        {"['n','In',[]]",                       "-"},
        {"['n','NotIn',[4,5]]",                 "2"},
        {"['n','NotIn',[]]",                    "12"},
        {"['u','Gte',18446744073709551615]",    "-"},
        {"['u','Eq',7]",                        "1"},
        {"['f','Gt',1]",                        "1"},
        {"['f','Eq',1.5]",                      "1"},
        {"['s','Eq','Hello world']",            "1"},
        {"['s','Lt','Hello']",                  "2"},
        {"['s','Gt','Hello']",                  "1"},
        {"['b','Eq',true]",                     "1"},
        {"['b','Eq',false]",                    "-"},
        {"['d','Eq','2024-03-02T00:00:00Z']",   "1"},
        {"['d','Lt','2024-03-02T00:00:00.001Z']", "12"},
        {"['x','Eq','0000000000000000000000000000000a']", "1"},
        {"['id','Eq',2]",                       "2"},
        {"['id','Gt',1]",                       "2"},
        {"['id','In',[1,2,3]]",                 "12"},
    };
    /* clang-format on */

    check_cases(cases, ARRAY_LEN(cases));
}

static void
null_is_below_everything(void **state UNUSED)
{
    /* clang-format off */
    static const struct filter_case cases[] = {
        {"['n','Eq',null]",     "2"},
        {"['n','NotEq',null]",  "1"},
        {"['n','Lt',null]",     "-"},
        {"['n','Lte',null]",    "2"},
        {"['n','Gt',null]",     "1"},
        {"['n','Gte',null]",    "12"},
        {"['tags','Eq',null]",  "2"},
        {"['tags','NotEq',null]", "1"},
        {"['id','Eq',null]",    "-"},
        {"['id','NotEq',null]", "12"},
        {"['n','In',[null]]",     "422 filters: attribute 'n': In takes no null"},
        {"['n','NotIn',[1,null]]", "422 filters: attribute 'n': NotIn takes no null"},
        {"['tags','Contains',null]", "422 filters: attribute 'tags': Contains takes no null"},
    };
    /* clang-format on */

    check_cases(cases, ARRAY_LEN(cases));
}

static void
logic(void **state UNUSED)
{
    /* clang-format off */
    static const struct filter_case cases[] = {
        {"['And',[]]",                                            "12"},
        {"['Or',[]]",                                             "-"},
        {"['And',[['n','Eq',5],['b','Eq',true]]]",                "1"},
        {"['And',[['n','Eq',5],['b','Eq',false]]]",               "-"},
        {"['Or',[['n','Eq',5],['id','Eq',2]]]",                   "12"},
        {"['Not',['n','Eq',5]]",                                  "2"},
        {"['Not',['And',[]]]",                                    "-"},
        {"['Not',['Or',[['n','Gt',4],['Not',['id','Eq',2]]]]]",   "2"},
    };
    /* clang-format on */

    check_cases(cases, ARRAY_LEN(cases));
}

static void
arrays(void **state UNUSED)
{
    /* clang-format off */
    static const struct filter_case cases[] = {
        {"['tags','Contains','red']",             "1"},
        {"['tags','Contains','green']",           "-"},
        {"['tags','NotContains','red']",          "2"},
        {"['tags','NotContains','green']",        "12"},
        {"['tags','ContainsAny',['x','blue']]",   "1"},
        {"['tags','NotContainsAny',['x','blue']]", "2"},
        {"['tags','In',['red']]",                 "1"}, /* of an array: its elements */
        {"['tags','NotIn',['red']]",              "2"},
        {"['tags','Eq',['red','blue']]",          "1"},
        {"['tags','Eq',['blue','red']]",          "-"},
        {"['nums','AnyLt',1]",                    "-"},
        {"['nums','AnyLte',1]",                   "1"},
        {"['nums','AnyGt',8]",                    "1"},
        {"['nums','AnyGte',10]",                  "-"},
        {"['nums','Lt',1]",        "400 filters: attribute 'nums': Lt is not for arrays; use AnyLt"},
        {"['n','Contains',1]",     "400 filters: attribute 'n': Contains is for arrays"},
        {"['n','AnyLt',1]",        "400 filters: attribute 'n': AnyLt is for arrays"},
    };
    /* clang-format on */

    check_cases(cases, ARRAY_LEN(cases));
}

static void
texts(void **state UNUSED)
{
    /* clang-format off */
    static const struct filter_case cases[] = {
        {"['s','Glob','Hello*']",            "1"},
        {"['s','Glob','hello*']",            "-"},
        {"['s','IGlob','hello*']",           "1"},
        {"['s','NotGlob','Hello*']",         "2"},
        {"['s','NotIGlob','hello*']",        "2"},
        {"['globs','Glob','*.h']",           "1"},
        {"['globs','NotGlob','*.c']",        "2"},
        {"['s','Regex','^Hello [a-z]+$']",   "1"},
        {"['s','Regex','^hello']",           "-"},
        {"['s','Fuzzy','wrld',{'max_edit_distance':[{'min_query_chars':3,'distance':0}]}]",     "-"},
        {"['s','Fuzzy','Helo world',{'max_edit_distance':[{'min_query_chars':6,'distance':1}]}]", "1"},
        {"['s','Fuzzy','Helo',{'max_edit_distance':[{'min_query_chars':6,'distance':1}]}]",     "-"},
        {"['s','Fuzzy','HELO WORLD',{'max_edit_distance':[{'min_query_chars':6,'distance':1}],"
         "'case_sensitive':false}]",         "1"},
        {"['text','ContainsAllTokens','fox QUICK']",       "1"},
        {"['text','ContainsAllTokens','fox wolf']",        "-"},
        {"['text','ContainsAllTokens',['fox','brown']]",   "1"},
        {"['text','ContainsAllTokens','fox bro',{'last_as_prefix':true}]", "1"},
        {"['text','ContainsAnyToken','wolf fox']",         "1"},
        {"['text','ContainsTokenSequence','quick brown']", "1"},
        {"['text','ContainsTokenSequence','brown quick']", "-"},
        {"['s','Regex','a(']",  "400 filters: attribute 's': regular expression 'a(': Unmatched ( or \\("},
        {"['s','Glob',5]",      "422 filters: attribute 's': Glob takes a string"},
        {"['n','Glob','5']",    "400 filters: attribute 'n': Glob is for the types string and []string"},
        {"['s','Fuzzy','x',{'max_edit_distance':[{'min_query_chars':5,'distance':1}]}]",
         "400 filters: attribute 's': min_query_chars has to be at least 3 * (distance + 1)"},
        {"['tags','Regex','x']",
         "400 filters: attribute 'tags': it is not filterable with Regex; its schema has to allow it"},
        {"['s','ContainsAnyToken','x']",
         "400 filters: attribute 's': it is not filterable with ContainsAnyToken; its schema has to allow it"},
        {"['globs','Eq',['x']]",
         "400 filters: attribute 'globs': it is not filterable with Eq; its schema has to allow it"},
    };
    /* clang-format on */

    check_cases(cases, ARRAY_LEN(cases));
}

static void
shapes_are_422(void **state UNUSED)
{
    /* clang-format off */
    static const struct filter_case cases[] = {
        {"{}",                  "422 filters: a filter is [attribute, operator, operand] or ['And', [filters]]"},
        {"['n']",               "422 filters: a filter is [attribute, operator, operand] or ['And', [filters]]"},
        {"[1,'Eq',2]",          "422 filters: a filter is [attribute, operator, operand] or ['And', [filters]]"},
        {"['n','Eq']",          "422 filters: a filter of two elements is And, Or or Not"},
        {"['n','Equals',1]",    "422 filters: there is no filter operator 'Equals'"},
        {"['n','eq',1]",        "422 filters: there is no filter operator 'eq'"},
        {"['And',1]",           "422 filters: And and Or take a list of filters, Not takes one"},
        {"['And',[1]]",         "422 filters: a filter is [attribute, operator, operand] or ['And', [filters]]"},
        {"['n','In',5]",        "422 filters: attribute 'n': In takes a list"},
        {"['n','In',[1,'2']]",  "422 filters: attribute 'n': the list of In mixes types"},
    };
    /* clang-format on */

    check_cases(cases, ARRAY_LEN(cases));
}

static void
meanings_are_400(void **state UNUSED)
{
    /* clang-format off */
    static const struct filter_case cases[] = {
        {"['nope','Eq',1]",     "400 filters: there is no attribute 'nope'"},
        {"['n','Eq','5']",      "400 filters: attribute 'n': expected int, got the string '5'"},
        {"['n','Eq',1.5]",      "400 filters: attribute 'n': expected int, got the number 1.5"},
        {"['n','In',['5']]",    "400 filters: attribute 'n': element 0: expected int, got the string '5'"},
        {"['id','Eq','1']",     "400 filters: attribute 'id': expected uint, got the string '1'"},
        {"['raw','Eq','r']",    "400 filters: attribute 'raw': it is not filterable with Eq; its schema has to allow it"},
        {"['v','Eq',[1,0]]",    "400 filters: attribute 'v': it is not filterable with Eq; its schema has to allow it"},
        {"['text','Eq','x']",   "400 filters: attribute 'text': it is not filterable with Eq; its schema has to allow it"},
        {"['n','Eq',{'$ref_new':'n'}]", "400 filters: attribute 'n': $ref_new has a meaning only in conditions"},
    };
    /* clang-format on */

    check_cases(cases, ARRAY_LEN(cases));
}

/* A refusal behind a compiled expression must give it back; the sanitizer sees to it. */
static void
a_refused_filter_leaks_nothing(void **state UNUSED)
{
    static const struct filter_case cases[] = {
        {"['And',[['s','Regex','a'],['Or',[['s','Regex','b'],['nope','Eq',1]]]]]",
         "400 filters: there is no attribute 'nope'"},
    };

    check_cases(cases, ARRAY_LEN(cases));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars),
        cmocka_unit_test(null_is_below_everything),
        cmocka_unit_test(logic),
        cmocka_unit_test(arrays),
        cmocka_unit_test(texts),
        cmocka_unit_test(shapes_are_422),
        cmocka_unit_test(meanings_are_400),
        cmocka_unit_test(a_refused_filter_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
