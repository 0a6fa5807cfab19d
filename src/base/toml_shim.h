#ifndef BASE_TOML_SHIM_H
#define BASE_TOML_SHIM_H

/*
 * The seam between toml++ and base/toml: plain C types, no ownership crosses it.
 *
 * The shim walks the parsed document in source order and tells the visitor; what it hands over
 * lives only during the call.  For base/toml.c alone.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum toml_shim_type {
    TOML_SHIM_TABLE,
    TOML_SHIM_ARRAY,
    TOML_SHIM_STRING,
    TOML_SHIM_INT,
    TOML_SHIM_FLOAT,
    TOML_SHIM_BOOL,
    TOML_SHIM_DATE,
};

struct toml_shim_node {
    enum toml_shim_type type;
    const char *key; /* NULL in an array and at the root */
    size_t key_len;
    int line, column, key_line, key_column;
    const char *text; /* STRING, DATE */
    size_t text_len;
    int64_t integer;
    double real;
    bool yes;
};

struct toml_shim_visitor {
    void *context;
    int depth_max;                                                   /* deeper is an error */
    void (*enter)(void *context, const struct toml_shim_node *node); /* every node */
    void (*leave)(void *context);                                    /* tables and arrays */
};

struct toml_shim_error {
    int line, column;
    char text[512];
};

bool toml_shim_parse(const char *text, size_t len, const struct toml_shim_visitor *visitor,
                     struct toml_shim_error *error);

#ifdef __cplusplus
}
#endif

#endif
