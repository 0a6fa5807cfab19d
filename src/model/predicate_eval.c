/* predicate_eval: three-valued logic over a row, and a fourth value for what the WAL left out. */
#include <assert.h>

#include "model/predicate_scalar.h"

static const struct value *
value_of(const struct predicate *predicate, const struct value *image,
         const struct operand *operand)
{
    const struct value *value = &image[predicate->columns[operand->column].image_index];

    assert(value->kind != VALUE_BINARY && value->kind != VALUE_JSON);
    return value;
}

static enum truth
truth_of(bool yes)
{
    return yes ? TRUTH_TRUE : TRUTH_FALSE;
}

/*
 * A column's value is read into `room`; a literal was read when the predicate was checked.
 * TRUTH_TRUE when there is something to compare.
 */
static enum truth
fetch(const struct predicate *predicate, const struct value *image, enum compare compare,
      const struct operand *operand, struct scalar *room, const struct scalar **ret)
{
    const struct value *value;

    *ret = &operand->value;
    if (operand->kind != OPERAND_COLUMN)
        return TRUTH_TRUE;
    value = value_of(predicate, image, operand);
    if (value->kind == VALUE_NULL)
        return TRUTH_NULL;
    if (value->kind == VALUE_UNCHANGED)
        return TRUTH_UNAVAILABLE;
    *ret = room;
    /* What a type does not print compares with nothing; sessions fix how types print. */
    return scalar_read(compare, predicate->columns[operand->column].type, value_span(value), room)
               ? TRUTH_TRUE
               : TRUTH_NULL;
}

static enum truth
eval_compare(const struct predicate *predicate, const struct node *node, const struct value *image)
{
    struct scalar left_room, right_room;
    const struct scalar *left, *right;
    enum truth a, b;

    if (node->compare == COMPARE_NULL)
        return TRUTH_NULL;
    a = fetch(predicate, image, node->compare, &node->left, &left_room, &left);
    b = fetch(predicate, image, node->compare, &node->right, &right_room, &right);
    if (a == TRUTH_NULL || b == TRUTH_NULL)
        return TRUTH_NULL; /* whatever the other one is */
    if (a == TRUTH_UNAVAILABLE || b == TRUTH_UNAVAILABLE)
        return TRUTH_UNAVAILABLE;
    return truth_of(scalar_equal(node->compare, left, right) != node->negated);
}

static enum truth
eval_is_null(const struct predicate *predicate, const struct node *node, const struct value *image)
{
    const struct value *value;

    if (node->left.kind != OPERAND_COLUMN)
        return truth_of((node->left.kind == OPERAND_NULL) != node->negated);
    value = value_of(predicate, image, &node->left);
    if (value->kind == VALUE_UNCHANGED)
        return TRUTH_UNAVAILABLE;
    return truth_of((value->kind == VALUE_NULL) != node->negated);
}

static enum truth
eval_operand(const struct predicate *predicate, const struct operand *operand,
             const struct value *image)
{
    struct scalar room;
    const struct scalar *scalar;
    enum truth fetched;

    if (operand->kind == OPERAND_NULL)
        return TRUTH_NULL;
    if (operand->kind == OPERAND_BOOL)
        return truth_of(operand->yes);
    fetched = fetch(predicate, image, COMPARE_BOOL, operand, &room, &scalar);
    return fetched == TRUTH_TRUE ? truth_of(scalar->integer) : fetched;
}

static enum truth
negate(enum truth truth)
{
    if (truth == TRUTH_TRUE || truth == TRUTH_FALSE)
        return truth_of(truth == TRUTH_FALSE);
    return truth;
}

static enum truth eval(const struct predicate *predicate, const struct node *node,
                       const struct value *image);

/*
 * One `decisive` child decides.  Without one the result may still turn out to be decisive while
 * something is unavailable, and NULL is what is left otherwise.
 */
static enum truth
eval_chain(const struct predicate *predicate, const struct node *node, const struct value *image,
           enum truth decisive)
{
    enum truth result = negate(decisive);

    for (const struct node *child = node->first; child; child = child->next) {
        enum truth truth = eval(predicate, child, image);

        if (truth == decisive)
            return decisive;
        if (truth == TRUTH_UNAVAILABLE || (truth == TRUTH_NULL && result != TRUTH_UNAVAILABLE))
            result = truth;
    }
    return result;
}

static enum truth
eval(const struct predicate *predicate, const struct node *node, const struct value *image)
{
    switch (node->kind) {
    case NODE_OR:
        return eval_chain(predicate, node, image, TRUTH_TRUE);
    case NODE_AND:
        return eval_chain(predicate, node, image, TRUTH_FALSE);
    case NODE_NOT:
        return negate(eval(predicate, node->first, image));
    case NODE_COMPARE:
        return eval_compare(predicate, node, image);
    case NODE_IS_NULL:
        return eval_is_null(predicate, node, image);
    case NODE_TRUTH:
        return eval_operand(predicate, &node->left, image);
    }
    return TRUTH_NULL;
}

enum truth
predicate_eval(const struct predicate *predicate, const struct value *image)
{
    assert(predicate->checked);
    return eval(predicate, predicate->root, image);
}
