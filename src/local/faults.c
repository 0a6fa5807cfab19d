/* faults: rules that break requests. */
#include "local/faults.h"

#include <assert.h>
#include <string.h>

#include "base/words.h"
#include "local/refuse.h"

static const char *const action_words[] = {
    "none", "status", "delay", "reset_before", "reset_after", "accepted_202", "apply_later", NULL,
};

const char *const fault_op_words[] = {
    "any", "write", "query", "delete_namespace", "schema", "metadata", "list", "warm", NULL,
};

/* ---- reading ---- */

enum member_type { MEMBER_UINT, MEMBER_TEXT, MEMBER_BOOL, MEMBER_ACTION, MEMBER_OP };

#define IN_RULE(member)  offsetof(struct fault_rule, member)
#define IN_FAULT(member) offsetof(struct fault_rule, fault.member)

/* clang-format off */
static const struct member {
    const char *name;
    enum member_type type;
    size_t offset;
    uint64_t max; /* MEMBER_UINT */
} members[] = {
    {"action",         MEMBER_ACTION, IN_FAULT(action),         0},
    {"after",          MEMBER_UINT,   IN_RULE(after),           UINT64_MAX},
    {"every",          MEMBER_UINT,   IN_RULE(every),           UINT64_MAX},
    {"times",          MEMBER_UINT,   IN_RULE(times),           UINT64_MAX},
    {"status",         MEMBER_UINT,   IN_FAULT(status),         599},
    {"retry_after",    MEMBER_TEXT,   IN_FAULT(retry_after),    0},
    {"retry_after_ms", MEMBER_TEXT,   IN_FAULT(retry_after_ms), 0},
    {"error",          MEMBER_TEXT,   IN_FAULT(error),          0},
    {"plain",          MEMBER_BOOL,   IN_FAULT(plain),          0},
    {"delay_ms",       MEMBER_UINT,   IN_FAULT(delay_ms),       FAULT_DELAY_MAX_MS},
    {"apply_after",    MEMBER_UINT,   IN_FAULT(apply_after),    UINT64_MAX},
};

static const struct member match_members[] = {
    {"namespace",      MEMBER_TEXT,   IN_RULE(ns_name),         0},
    {"op",             MEMBER_OP,     IN_RULE(op),              0},
};
/* clang-format on */

static bool
read_text(const struct json *json, char *text)
{
    if ((json->type != JSON_STRING && json->type != JSON_NUMBER) ||
        json->text.len >= FAULT_TEXT_SIZE || memchr(json->text.ptr, '\0', json->text.len))
        return false;
    memcpy(text, json->text.ptr, json->text.len);
    text[json->text.len] = '\0';
    return true;
}

static bool
read_word(const char *const *words, const struct json *json, int *ret)
{
    int found = json->type == JSON_STRING ? word_find(words, json->text) : -1;

    if (found < 0)
        return false;
    *ret = found;
    return true;
}

static bool
read_action(const struct json *json, enum fault_action *ret)
{
    int found;

    if (!read_word(action_words, json, &found) || found == FAULT_NONE)
        return false;
    *ret = (enum fault_action)found;
    return true;
}

static bool
read_uint(const struct json *json, uint64_t max, uint64_t *ret)
{
    uint64_t n;

    if (!json_to_uint(json, &n) || n > max)
        return false;
    *ret = n;
    return true;
}

static bool
read_member(const struct member *member, const struct json *json, struct fault_rule *rule)
{
    void *at = (char *)rule + member->offset;

    switch (member->type) {
    case MEMBER_UINT:
        return read_uint(json, member->max, at);
    case MEMBER_TEXT:
        return read_text(json, at);
    case MEMBER_BOOL:
        *(bool *)at = json->yes;
        return json->type == JSON_BOOL;
    case MEMBER_ACTION:
        return read_action(json, at);
    case MEMBER_OP:
        return read_word(fault_op_words, json, at);
    }
    return false;
}

static bool
read_members(const struct member *table, size_t count, const struct json *object,
             struct fault_rule *rule, struct err *err)
{
    for (const struct json *given = object->first; given; given = given->next) {
        const struct member *member = NULL;

        if (span_eq(given->key, SPAN("match")))
            continue;
        for (size_t i = 0; i < count && !member; i++)
            member = span_eq(given->key, span_of(table[i].name)) ? &table[i] : NULL;
        if (!member)
            return refuse(err, 400, "a rule has no \"%.*s\"", SPAN_ARG(given->key));
        if (!read_member(member, given, rule))
            return refuse(err, 400, "\"%s\" cannot have this value", member->name);
    }
    return true;
}

static bool
read_rule(const struct json *json, struct fault_rule *ret, struct err *err)
{
    const struct json *match = json_get(json, "match");
    bool endless = json_get(json, "every") != NULL;
    struct fault_rule rule = {.every = 1, .times = endless ? 0 : 1};

    rule.fault.apply_after = FAULT_NEVER;
    if (json->type != JSON_OBJECT || (match && match->type != JSON_OBJECT))
        return refuse(err, 400, "a rule is an object, and so is its \"match\"");
    if (!read_members(members, ARRAY_LEN(members), json, &rule, err) ||
        (match && !read_members(match_members, ARRAY_LEN(match_members), match, &rule, err)))
        return false;
    if (rule.fault.action == FAULT_NONE)
        return refuse(err, 400, "a rule needs an \"action\"");
    if (rule.fault.action == FAULT_STATUS && rule.fault.status < 200)
        return refuse(err, 400, "the action status needs a \"status\" from 200 to 599");
    if (rule.every == 0)
        return refuse(err, 400, "\"every\" counts from 1");
    if (rule.times == 0)
        rule.times = FAULT_NEVER;
    if (rule.fault.action == FAULT_ACCEPTED_202 && rule.fault.apply_after == FAULT_NEVER)
        rule.fault.apply_after = 0;
    *ret = rule;
    return true;
}

bool
faults_add(struct faults *faults, const struct json *list, struct err *err)
{
    size_t count = faults->count, n = 0;

    assert(count <= FAULT_RULES_MAX);
    if (list->type != JSON_ARRAY)
        return refuse(err, 400, "the fault script is a list of rules");
    if (list->count > FAULT_RULES_MAX - count)
        return refuse(err, 400, "at most %d rules", FAULT_RULES_MAX);
    for (const struct json *rule = list->first; rule; rule = rule->next, n++) {
        if (!read_rule(rule, &faults->rules[count + n], err))
            return err_wrap(err, "rule %zu", n);
    }
    faults->count = count + n;
    return true;
}

void
faults_clear(struct faults *faults)
{
    faults->count = 0;
}

/* ---- firing ---- */

static bool
matches(const struct fault_rule *rule, struct span ns_name, enum fault_op op)
{
    bool write_only =
        rule->fault.action == FAULT_ACCEPTED_202 || rule->fault.action == FAULT_APPLY_LATER;

    if (write_only && op != FAULT_OP_WRITE)
        return false;
    if (rule->op != FAULT_OP_ANY && rule->op != (int)op)
        return false;
    return !rule->ns_name[0] || span_eq(ns_name, span_of(rule->ns_name));
}

/* Counts the request; says whether it is one that the rule wants. */
static bool
is_due(struct fault_rule *rule)
{
    uint64_t seen = rule->seen++;

    assert(rule->every > 0);
    return seen >= rule->after && (seen - rule->after + 1) % rule->every == 0 &&
           rule->fired < rule->times;
}

struct fault
faults_pick(struct faults *faults, struct span ns_name, enum fault_op op)
{
    struct fault picked = {.action = FAULT_NONE};

    assert(op != FAULT_OP_ANY);
    for (size_t i = 0; i < faults->count; i++) {
        struct fault_rule *rule = &faults->rules[i];

        if (!matches(rule, ns_name, op) || !is_due(rule) || picked.action != FAULT_NONE)
            continue;
        rule->fired++;
        picked = rule->fault;
    }
    return picked;
}

/* ---- showing ---- */

void
faults_write(struct json_writer *w, const struct faults *faults)
{
    json_array_begin(w);
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault_rule *rule = &faults->rules[i];

        json_object_begin(w);
        json_key(w, SPAN("action"));
        json_string(w, span_of(action_words[rule->fault.action]));
        json_key(w, SPAN("seen"));
        json_uint(w, rule->seen);
        json_key(w, SPAN("fired"));
        json_uint(w, rule->fired);
        json_object_end(w);
    }
    json_array_end(w);
}
