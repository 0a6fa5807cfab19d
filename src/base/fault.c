/* fault: end like a crash, at a place that a test chose. */
#include "base/fault.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/env.h"
#include "base/number.h"
#include "base/span.h"

#define NAME_MAX_LEN 63

static struct {
    char name[NAME_MAX_LEN + 1]; /* "" none */
    atomic_int left;             /* passages until it happens */
} armed;

void
fault_init(void)
{
    const char *text = env_get("PUFFGRES_KILL_AT");
    size_t name = text ? strcspn(text, ":") : 0;
    int64_t passage = 1;

    if (name == 0 || name > NAME_MAX_LEN)
        return;
    if (text[name] == ':' && (!span_to_int(span_of(text + name + 1), &passage) || passage < 1))
        return;
    memcpy(armed.name, text, name);
    atomic_store(&armed.left, (int)passage);
}

void
fault_point(const char *name)
{
    if (!armed.name[0] || strcmp(armed.name, name) != 0)
        return;
    if (atomic_fetch_sub(&armed.left, 1) == 1)
        raise(SIGKILL);
}
