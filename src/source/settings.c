/* settings: names that the server will take. */
#include "source/settings.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 63 /* NAMEDATALEN - 1 */

static const char slot_characters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

/* The name with what is not allowed made into underscores. */
static void
suggest_slot(const char *slot, char dst[NAME_MAX_BYTES + 1])
{
    size_t len = strnlen(slot, NAME_MAX_BYTES);

    for (size_t i = 0; i < len; i++) {
        char lower = slot[i] >= 'A' && slot[i] <= 'Z' ? (char)(slot[i] | 0x20) : slot[i];

        dst[i] = strchr(slot_characters, lower) ? lower : '_';
    }
    dst[len] = '\0';
}

bool
source_settings_check(const struct source_settings *settings, struct err *err)
{
    size_t len = strlen(settings->slot);
    char better[NAME_MAX_BYTES + 1];

    if (len == 0)
        return err_set(err, ERR_CONFIG, "the slot name is empty");
    if (len > NAME_MAX_BYTES || strspn(settings->slot, slot_characters) != len) {
        suggest_slot(settings->slot, better);
        return err_set(err, ERR_CONFIG,
                       "\"%s\" cannot be the name of a slot: at most 63 lower-case letters, digits "
                       "and underscores; for example \"%s\"",
                       settings->slot, better);
    }
    if (!*settings->publication || strlen(settings->publication) > NAME_MAX_BYTES)
        return err_set(err, ERR_CONFIG, "\"%s\" cannot be the name of a publication: 1 to 63 bytes",
                       settings->publication);
    return true;
}

const char *
source_publication_default(const char *slot, struct arena *arena)
{
    char *name = arena_strdup(arena, slot);

    for (char *c = name; *c; c++) {
        if (*c == '-')
            *c = '_';
    }
    return name;
}
