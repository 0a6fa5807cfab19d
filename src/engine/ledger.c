/* ledger: the least floor of everything unfinished is what may be acknowledged. */
#include "engine/ledger.h"

#include <assert.h>
#include <stdlib.h>

static lsn_t
least(lsn_t a, lsn_t b)
{
    return a < b ? a : b;
}

void
ledger_init(struct ledger *ledger, size_t mapping_count, lsn_t start)
{
    *ledger = (struct ledger){
        .end = start,
        .checkpoint = start,
        .flush = start,
        .mapping_count = mapping_count,
        .holds = reallocarray(NULL, mapping_count + 1, sizeof(lsn_t)),
    };
    if (!ledger->holds)
        abort();
    for (size_t i = 0; i < mapping_count; i++)
        ledger->holds[i] = LEDGER_FREE;
}

void
ledger_done(struct ledger *ledger)
{
    free(ledger->holds);
    free(ledger->entries);
    *ledger = (struct ledger){0};
}

/* ---- what was read ---- */

void
ledger_begin(struct ledger *ledger)
{
    assert(!ledger->in_transaction);
    ledger->in_transaction = true;
}

/* Positions that were read before come again after a reconnect: the end never goes back. */
static void
advance(struct ledger *ledger, lsn_t to)
{
    if (to > ledger->end)
        ledger->end = to;
}

void
ledger_commit(struct ledger *ledger, lsn_t end)
{
    assert(ledger->in_transaction);
    ledger->in_transaction = false;
    advance(ledger, end);
}

void
ledger_keepalive(struct ledger *ledger, lsn_t wal_end)
{
    if (!ledger->in_transaction)
        advance(ledger, wal_end);
}

void
ledger_abandon(struct ledger *ledger)
{
    ledger->in_transaction = false;
}

/* ---- what is on its way ---- */

static size_t
free_slot(struct ledger *ledger)
{
    size_t count = ledger->entry_count;
    struct ledger_entry *grown;

    for (size_t i = 0; i < count; i++) {
        if (ledger->entries[i].floor == LEDGER_FREE)
            return i;
    }
    grown = reallocarray(ledger->entries, count * 2 + 16, sizeof(*grown));
    if (!grown)
        abort();
    ledger->entries = grown;
    ledger->entry_count = count * 2 + 16;
    for (size_t i = count; i < ledger->entry_count; i++)
        grown[i] = (struct ledger_entry){.floor = LEDGER_FREE};
    return count;
}

size_t
ledger_open(struct ledger *ledger, size_t mapping)
{
    size_t entry = free_slot(ledger);

    assert(mapping < ledger->mapping_count);
    ledger->entries[entry] = (struct ledger_entry){.mapping = mapping, .floor = ledger->end};
    ledger->unfinished++;
    return entry;
}

lsn_t
ledger_floor(const struct ledger *ledger, size_t entry)
{
    assert(entry < ledger->entry_count);
    return ledger->entries[entry].floor;
}

void
ledger_finish(struct ledger *ledger, size_t entry)
{
    assert(entry < ledger->entry_count);
    assert(ledger->entries[entry].floor != LEDGER_FREE);
    ledger->entries[entry].floor = LEDGER_FREE;
    ledger->unfinished--;
}

void
ledger_hold(struct ledger *ledger, size_t mapping)
{
    assert(mapping < ledger->mapping_count);
    ledger->holds[mapping] = least(ledger->holds[mapping], ledger->end);
}

bool
ledger_held(const struct ledger *ledger, size_t mapping)
{
    return ledger->holds[mapping] != LEDGER_FREE;
}

/* ---- what may be acknowledged ---- */

lsn_t
ledger_mapping_durable(const struct ledger *ledger, size_t mapping)
{
    lsn_t durable = least(ledger->end, ledger->holds[mapping]);

    for (size_t i = 0; i < ledger->entry_count; i++) {
        if (ledger->entries[i].mapping == mapping)
            durable = least(durable, ledger->entries[i].floor);
    }
    return durable;
}

size_t
ledger_holder(const struct ledger *ledger)
{
    size_t holder = ledger->mapping_count;
    lsn_t durable = ledger->end;

    for (size_t i = 0; i < ledger->mapping_count; i++) {
        lsn_t own = ledger_mapping_durable(ledger, i);

        if (own < durable) {
            durable = own;
            holder = i;
        }
    }
    return holder;
}

lsn_t
ledger_durable(const struct ledger *ledger)
{
    lsn_t durable = ledger->end;

    for (size_t i = 0; i < ledger->mapping_count; i++)
        durable = least(durable, ledger->holds[i]);
    for (size_t i = 0; i < ledger->entry_count; i++)
        durable = least(durable, ledger->entries[i].floor);
    return durable;
}

void
ledger_saved(struct ledger *ledger, lsn_t checkpoint)
{
    assert(checkpoint >= ledger->checkpoint);
    assert(checkpoint <= ledger_durable(ledger));
    ledger->checkpoint = checkpoint;
}

lsn_t
ledger_flush(struct ledger *ledger)
{
    assert(ledger->flush <= ledger->checkpoint);
    assert(ledger->checkpoint <= ledger_durable(ledger));
    ledger->flush = ledger->checkpoint;
    return ledger->flush;
}
