/* predicate_check: does every comparison make sense for its types, and how is it made. */
#include <assert.h>

#include "base/utf8.h"
#include "model/predicate_scalar.h"

#define SHOWN_MAX 40 /* bytes of a literal in a message */

struct checker {
    struct predicate *predicate;
    struct err *err;
};

static const struct predicate_column *
column_of(const struct checker *checker, const struct operand *operand)
{
    const struct predicate_column *column;

    assert(operand->kind == OPERAND_COLUMN);
    column = &checker->predicate->columns[operand->column];
    assert(column->type);
    return column;
}

static struct span
shown(struct span text)
{
    struct span start = {text.ptr, text.len < SHOWN_MAX ? text.len : SHOWN_MAX};

    return (struct span){text.ptr, utf8_valid_len(start)};
}

static bool
is_integer(const struct type *type)
{
    return type->kind == TYPE_INT2 || type->kind == TYPE_INT4 || type->kind == TYPE_INT8 ||
           type->kind == TYPE_OID;
}

static bool
refuse_type(const struct checker *checker, const struct operand *operand)
{
    const struct predicate_column *column = column_of(checker, operand);

    return predicate_fault(checker->predicate->text, operand->offset, checker->err,
                           "\"%.*s\" is %s, which predicates cannot compare; keep the answer in a "
                           "boolean column of the table, or ask for IS NULL",
                           SPAN_ARG(column->name), column->type->name);
}

/* Which literals each way of comparing takes; of the others a person means something else. */
static bool
takes_literal(enum compare compare, enum operand_kind kind)
{
    if (kind == OPERAND_STRING)
        return true;
    if (kind == OPERAND_NUMBER)
        return compare == COMPARE_DECIMAL || compare == COMPARE_FLOAT;
    return compare == COMPARE_BOOL;
}

/* Read the literal as the column's type. */
static bool
check_literal(const struct checker *checker, enum compare compare,
              const struct predicate_column *column, struct operand *literal)
{
    bool reads = takes_literal(compare, literal->kind);

    if (reads && literal->kind == OPERAND_BOOL) {
        literal->value.integer = literal->yes;
        return true;
    }
    if (reads && scalar_read(compare, column->type, literal->text, &literal->value) &&
        (literal->kind != OPERAND_STRING || !is_integer(column->type) ||
         decimal_is_integer(&literal->value.decimal)))
        return true;
    return predicate_fault(checker->predicate->text, literal->offset, checker->err,
                           "\"%.*s\" is %s, and this value is not; write it like %s",
                           SPAN_ARG(column->name), column->type->name, scalar_example(compare));
}

static bool
check_column_and_literal(const struct checker *checker, struct node *node,
                         const struct operand *column, struct operand *literal)
{
    const struct predicate_column *known = column_of(checker, column);

    node->compare = scalar_compare(known->type);
    if (node->compare == COMPARE_MAX_)
        return refuse_type(checker, column);
    return check_literal(checker, node->compare, known, literal);
}

/* Integers and numerics are compared with floats as floats, as Postgres does; two enums are equal
 * only as values of one type. */
static bool
check_columns(const struct checker *checker, struct node *node)
{
    const struct predicate_column *left = column_of(checker, &node->left);
    const struct predicate_column *right = column_of(checker, &node->right);
    enum compare a = scalar_compare(left->type), b = scalar_compare(right->type);
    bool numbers = (a == COMPARE_DECIMAL && b == COMPARE_FLOAT) ||
                   (a == COMPARE_FLOAT && b == COMPARE_DECIMAL);
    bool enums = left->type->kind == TYPE_ENUM || right->type->kind == TYPE_ENUM;

    if (a == COMPARE_MAX_)
        return refuse_type(checker, &node->left);
    if (b == COMPARE_MAX_)
        return refuse_type(checker, &node->right);
    node->compare = numbers ? COMPARE_FLOAT : a;
    if ((a == b || numbers) && (!enums || left->type->oid == right->type->oid))
        return true;
    return predicate_fault(checker->predicate->text, node->right.offset, checker->err,
                           "\"%.*s\" is %s and \"%.*s\" is %s, which do not compare; compare "
                           "columns of one type",
                           SPAN_ARG(left->name), left->type->name, SPAN_ARG(right->name),
                           right->type->name);
}

static bool
read_constant(const struct checker *checker, enum compare compare, struct operand *literal)
{
    bool reads = takes_literal(compare, literal->kind);

    if (literal->kind == OPERAND_BOOL && reads) {
        literal->value.integer = literal->yes;
        return true;
    }
    if (reads && scalar_read(compare, NULL, literal->text, &literal->value))
        return true;
    return predicate_fault(checker->predicate->text, literal->offset, checker->err,
                           "this value does not compare with the other; write it like %s",
                           scalar_example(compare));
}

/* A text takes the type of the other side, as SQL's untyped literals do. */
static bool
check_literals(const struct checker *checker, struct node *node)
{
    enum operand_kind a = node->left.kind, b = node->right.kind;

    if (a == OPERAND_NUMBER || b == OPERAND_NUMBER)
        node->compare = COMPARE_DECIMAL;
    else if (a == OPERAND_BOOL || b == OPERAND_BOOL)
        node->compare = COMPARE_BOOL;
    else
        node->compare = COMPARE_BYTES;
    return read_constant(checker, node->compare, &node->left) &&
           read_constant(checker, node->compare, &node->right);
}

static bool
check_compare(const struct checker *checker, struct node *node)
{
    struct operand *left = &node->left, *right = &node->right;

    if (left->kind == OPERAND_NULL || right->kind == OPERAND_NULL) {
        node->compare = COMPARE_NULL;
        return true;
    }
    if (left->kind == OPERAND_COLUMN && right->kind == OPERAND_COLUMN)
        return check_columns(checker, node);
    if (left->kind == OPERAND_COLUMN)
        return check_column_and_literal(checker, node, left, right);
    if (right->kind == OPERAND_COLUMN)
        return check_column_and_literal(checker, node, right, left);
    return check_literals(checker, node);
}

/* An operand by itself has to be a condition. */
static bool
check_truth(const struct checker *checker, const struct operand *operand)
{
    const struct predicate_column *column;

    if (operand->kind == OPERAND_BOOL || operand->kind == OPERAND_NULL)
        return true;
    if (operand->kind != OPERAND_COLUMN)
        return predicate_fault(checker->predicate->text, operand->offset, checker->err,
                               "\"%.*s\" is a value and no condition; compare it with a column",
                               SPAN_ARG(shown(operand->text)));
    column = column_of(checker, operand);
    if (column->type->kind == TYPE_BOOL && !column->type->array)
        return true;
    return predicate_fault(checker->predicate->text, operand->offset, checker->err,
                           "\"%.*s\" is %s and no condition by itself; compare it with a value",
                           SPAN_ARG(column->name), column->type->name);
}

static bool
check_node(const struct checker *checker, struct node *node)
{
    switch (node->kind) {
    case NODE_OR:
    case NODE_AND:
    case NODE_NOT:
        for (struct node *child = node->first; child; child = child->next) {
            if (!check_node(checker, child))
                return false;
        }
        return true;
    case NODE_COMPARE:
        return check_compare(checker, node);
    case NODE_TRUTH:
        return check_truth(checker, &node->left);
    case NODE_IS_NULL:
        return true;
    }
    return false;
}

bool
predicate_check(struct predicate *predicate, struct err *err)
{
    const struct checker checker = {.predicate = predicate, .err = err};

    for (size_t i = 0; i < predicate->column_count; i++)
        assert(predicate->columns[i].type);
    if (!check_node(&checker, predicate->root))
        return false;
    predicate->checked = true;
    return true;
}

static const struct node *
find_null_comparison(const struct node *node)
{
    if (node->kind == NODE_COMPARE && node->compare == COMPARE_NULL)
        return node;
    for (const struct node *child = node->first; child; child = child->next) {
        const struct node *found = find_null_comparison(child);

        if (found)
            return found;
    }
    return NULL;
}

size_t
predicate_compares_null(const struct predicate *predicate)
{
    const struct node *found = find_null_comparison(predicate->root);

    assert(predicate->checked);
    return found ? predicate_place(predicate->text, found->left.offset) : 0;
}
