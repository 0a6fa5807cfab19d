/* toml_shim: toml++ walked in source order, told to a C visitor. */
#include "base/toml_shim.h"

/* The library of the distribution is built with exceptions; the headers also work without. */
#undef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY       1
#define TOML_EXCEPTIONS        0
#define TOML_ENABLE_FORMATTERS 0
#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string>
#include <toml++/toml.h>
#include <vector>

namespace
{

struct member {
    const toml::key *key;
    const toml::node *value;
};

/* toml++ bounds nested brackets, but not how deep a dotted name goes. */
bool
deeper_than(const toml::node &value, int depth)
{
    bool deeper = depth < 0;

    if (const auto *table = value.as_table(); table && !deeper) {
        for (auto &&[key, child] : *table)
            deeper = deeper || deeper_than(child, depth - 1);
    }
    if (const auto *array = value.as_array(); array && !deeper) {
        for (auto &&child : *array)
            deeper = deeper || deeper_than(child, depth - 1);
    }
    return deeper;
}

struct walk {
    const toml_shim_visitor *visitor;

    void node(const toml::key *key, const toml::node &value) const;
    void table(const toml::table &table) const;
    void array(const toml::array &array) const;
};

/* toml++ keeps members by name; people expect the order of the file. */
bool
stands_before(const member &a, const member &b)
{
    const auto &left = a.key->source().begin;
    const auto &right = b.key->source().begin;

    return left.line != right.line ? left.line < right.line : left.column < right.column;
}

template <typename Value>
std::string
text_of(const Value &value)
{
    std::ostringstream text;

    text << value;
    return text.str();
}

void
set_text(toml_shim_node &node, toml_shim_type type, const std::string &text)
{
    node.type = type;
    node.text = text.data();
    node.text_len = text.size();
}

void
set_position(toml_shim_node &node, const toml::key *key, const toml::node &value)
{
    auto at = value.source().begin;

    if (key && !at) /* a table that only a dotted name implies stands where its name does */
        at = key->source().begin;
    node.line = static_cast<int>(at.line);
    node.column = static_cast<int>(at.column);
    node.key_line = key ? static_cast<int>(key->source().begin.line) : node.line;
    node.key_column = key ? static_cast<int>(key->source().begin.column) : node.column;
    node.key = key ? key->data() : nullptr;
    node.key_len = key ? key->length() : 0;
}

void
walk::table(const toml::table &table) const
{
    std::vector<member> members;

    for (auto &&[key, value] : table)
        members.push_back({&key, &value});
    std::stable_sort(members.begin(), members.end(), stands_before);
    for (const auto &m : members)
        node(m.key, *m.value);
}

void
walk::array(const toml::array &array) const
{
    for (auto &&value : array)
        node(nullptr, value);
}

void
walk::node(const toml::key *key, const toml::node &value) const
{
    toml_shim_node told{};
    std::string text;

    set_position(told, key, value);
    switch (value.type()) {
    case toml::node_type::table:
        told.type = TOML_SHIM_TABLE;
        visitor->enter(visitor->context, &told);
        table(*value.as_table());
        visitor->leave(visitor->context);
        return;
    case toml::node_type::array:
        told.type = TOML_SHIM_ARRAY;
        visitor->enter(visitor->context, &told);
        array(*value.as_array());
        visitor->leave(visitor->context);
        return;
    case toml::node_type::string:
        set_text(told, TOML_SHIM_STRING, value.as_string()->get());
        break;
    case toml::node_type::integer:
        told.type = TOML_SHIM_INT;
        told.integer = value.as_integer()->get();
        break;
    case toml::node_type::floating_point:
        told.type = TOML_SHIM_FLOAT;
        told.real = value.as_floating_point()->get();
        break;
    case toml::node_type::boolean:
        told.type = TOML_SHIM_BOOL;
        told.yes = value.as_boolean()->get();
        break;
    case toml::node_type::date:
        text = text_of(value.as_date()->get());
        set_text(told, TOML_SHIM_DATE, text);
        break;
    case toml::node_type::time:
        text = text_of(value.as_time()->get());
        set_text(told, TOML_SHIM_DATE, text);
        break;
    case toml::node_type::date_time:
        text = text_of(value.as_date_time()->get());
        set_text(told, TOML_SHIM_DATE, text);
        break;
    case toml::node_type::none:
        return;
    }
    visitor->enter(visitor->context, &told);
}

bool
fail(toml_shim_error *error, const toml::source_position &at, std::string_view text)
{
    error->line = static_cast<int>(at.line);
    error->column = static_cast<int>(at.column);
    std::snprintf(error->text, sizeof(error->text), "%.*s", static_cast<int>(text.size()),
                  text.data());
    return false;
}

/* noexcept: what could still be thrown is std::bad_alloc, and out of memory ends the process. */
bool
parse(std::string_view text, const toml_shim_visitor *visitor, toml_shim_error *error) noexcept
{
    const auto result = toml::parse(text);

    if (!result) {
        const auto &failure = result.error();

        return fail(error, failure.source().begin, failure.description());
    }
    if (deeper_than(result.table(), visitor->depth_max - 1))
        return fail(error, {1, 1}, "tables are nested too deeply");
    walk{visitor}.node(nullptr, result.table());
    return true;
}

} // namespace

bool
toml_shim_parse(const char *text, size_t len, const toml_shim_visitor *visitor,
                toml_shim_error *error)
{
    return parse({text, len}, visitor, error);
}
