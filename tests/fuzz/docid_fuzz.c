/* docid_fuzz: an id is in its own canonical form, and what is made of that is the same again. */
#include "fuzz/fuzz.h"

#include <assert.h>

#include "base/utf8.h"
#include "model/docid.h"

static void
check_form(const struct mapping *mapping, const struct docid *id)
{
    switch (mapping->id_type) {
    case ID_UINT:
    case ID_INT:
        assert(id->quoted == mapping->id_encode_string);
        assert(id->text.len > 0 && (id->text.ptr[0] != '0' || id->text.len == 1));
        break;
    case ID_UUID:
        assert(id->quoted && id->text.len == DOCID_UUID_LEN && id->text.ptr[8] == '-');
        break;
    case ID_STRING:
        assert(id->quoted && id->text.len <= DOCID_STRING_MAX && utf8_valid(id->text));
        break;
    case ID_AUTO:
    case ID_TYPE_MAX_:
        assert(!"no such id");
    }
}

/* The first byte says which kind of id, the rest is its text. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mapping mapping = {.id_name = "id", .file = "001.toml"};
    struct arena *arena = arena_new("fuzz");
    struct docid id, again;
    struct value value;
    struct err err;

    if (size > 0) {
        mapping.id_type = (enum id_type)(ID_UINT + data[0] % (ID_TYPE_MAX_ - ID_UINT));
        mapping.id_encode_string = data[0] & 0x80;
        value = (struct value){(const char *)data + 1, (uint32_t)size - 1, VALUE_TEXT};
        if (!docid_make(&mapping, &value, arena, &id, &err)) {
            assert(err.kind == ERR_DATA);
        } else {
            bool ok;

            check_form(&mapping, &id);
            value = (struct value){id.text.ptr, (uint32_t)id.text.len, VALUE_TEXT};
            ok = docid_make(&mapping, &value, arena, &again, &err);
            assert(ok && again.quoted == id.quoted && span_eq(again.text, id.text));
        }
    }
    arena_free(arena);
    return 0;
}
