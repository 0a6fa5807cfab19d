/* turbopuffer-local against turbopuffer's own npm client, unmodified.  argv: the URL; prints one line per test. */
"use strict";
const assert = require("node:assert/strict");
const { Turbopuffer } = require("@turbopuffer/turbopuffer");

const baseURL = process.argv[2];
const client = new Turbopuffer({ apiKey: "tpuf_test", baseURL });

async function local(method, path, body) {
    const answer = await fetch(baseURL + path, { method, body: body && JSON.stringify(body) });
    assert.equal(answer.status, 200, await answer.clone().text());
    return answer.json();
}

async function rows(ns, query = {}) {
    const answer = await ns.query({ rank_by: ["id", "asc"], include_attributes: true, limit: 100, ...query });
    return answer.rows;
}

const newer = ["Or", [["v", "Lt", { $ref_new: "v" }], ["v", "Eq", null]]];

const tests = {
    async "writes and reads rows and columns"(ns) {
        const answer = await ns.write({
            upsert_rows: [{ id: "a", n: 1, tags: ["x"] }, { id: "b", f: 1.5 }],
            schema: { n: "uint", f: "float" }, return_affected_ids: true,
        });
        assert.equal(answer.rows_affected, 2);
        assert.deepEqual(answer.upserted_ids, ["a", "b"]);
        await ns.write({ upsert_columns: { id: ["b", "c"], n: [7, null], f: [null, 2.5] } });
        assert.deepEqual(await rows(ns), [{ id: "a", n: 1, tags: ["x"] }, { id: "b", n: 7 }, { id: "c", f: 2.5 }]);
    },

    async "patches, deletes and conditions"(ns) {
        await ns.write({ upsert_rows: [{ id: 1, v: 5 }, { id: 2, v: 5 }] });
        const skipped = await ns.write({ upsert_rows: [{ id: 1, v: 4 }, { id: 3, v: 1 }], upsert_condition: newer });
        assert.equal(skipped.rows_upserted, 1);
        await ns.write({ patch_rows: [{ id: 2, v: 6, w: "w" }, { id: 9, v: 1 }] });
        assert.equal((await ns.write({ deletes: [1, 2], delete_condition: ["v", "Lt", 6] })).rows_deleted, 1);
        assert.equal((await ns.write({ delete_by_filter: ["v", "Eq", 1] })).rows_deleted, 1);
        assert.deepEqual(await rows(ns), [{ id: 2, v: 6, w: "w" }]);
    },

    async "schema, metadata, list and delete"(ns, name) {
        assert.equal(await ns.exists(), false);
        await ns.write({ upsert_rows: [{ id: 1, t: "text" }] });
        assert.equal((await ns.schema()).t.type, "string");
        assert.equal((await ns.updateSchema({ schema: { t: { type: "string", filterable: false } } })).t.filterable, false);
        assert.equal((await ns.metadata()).approx_row_count, 1);
        assert.equal((await ns.hintCacheWarm()).status, "ACCEPTED");
        const listed = [];
        for await (const found of client.namespaces({ prefix: name, page_size: 1 })) listed.push(found.id);
        assert.deepEqual(listed, [name]);
        assert.equal((await ns.deleteAll()).status, "OK");
        await assert.rejects(ns.schema(), Turbopuffer.NotFoundError);
    },

    async "aggregations and several queries"(ns) {
        await ns.write({ upsert_rows: [{ id: 1, g: "a" }, { id: 2, g: "b" }, { id: 3, g: "a" }] });
        assert.deepEqual((await ns.query({ aggregate_by: { c: ["Count"] } })).aggregations, { c: 3 });
        const several = await ns.multiQuery({
            queries: [{ rank_by: ["id", "desc"], limit: 1 }, { aggregate_by: { c: ["Count"] }, group_by: ["g"] }],
        });
        assert.deepEqual(several.results[0].rows, [{ id: 3 }]);
        assert.deepEqual(several.results[1].aggregation_groups, [{ g: "a", c: 2 }, { g: "b", c: 1 }]);
    },

    async "refusals are errors of their kind"(ns) {
        await assert.rejects(ns.write({ upsert_rows: [{ id: 1 }, { id: 1 }] }), Turbopuffer.BadRequestError);
        await assert.rejects(ns.write({ upsert_rows: [{ id: -1 }] }), Turbopuffer.UnprocessableEntityError);
        await assert.rejects(ns.query({ rank_by: ["id", "asc"] }), Turbopuffer.NotFoundError);
        await assert.rejects(client.namespace("no blanks").write({ upsert_rows: [{ id: 1 }] }), Turbopuffer.BadRequestError);
        assert.equal(await ns.exists(), false);
    },

    async "compressed bodies"(ns, name) {
        const packed = new Turbopuffer({ apiKey: "tpuf_test", baseURL, compression: true }).namespace(name);
        await packed.write({ upsert_rows: Array.from({ length: 500 }, (_, id) => ({ id, text: "the same text" })) });
        assert.equal((await rows(packed, { limit: 1000 })).length, 500);
    },

    async "retries until it is written"(ns, name) {
        await local("POST", "/_local/faults", [
            { action: "status", status: 429, retry_after_ms: 20 },
            { action: "status", status: 503, retry_after_ms: 20, plain: true },
            { action: "reset_before" }, { action: "reset_after" }]);
        const answer = await ns.write({ upsert_rows: [{ id: 1, v: 1 }], upsert_condition: newer });
        assert.equal(answer.rows_upserted, 0); /* the one before was applied, then lost */
        const { entries } = await local("GET", "/_local/journal");
        const effects = entries.filter((entry) => entry.namespace === name).map((entry) => entry.effect);
        assert.deepEqual(effects, ["applied", "skipped"]);
    },

    async "a 202 is polled to its end"(ns) {
        await local("POST", "/_local/faults", [{ action: "accepted_202", apply_after: 1 }]);
        assert.equal((await ns.write({ upsert_rows: [{ id: 1 }] })).rows_upserted, 1);
        assert.deepEqual(await rows(ns), [{ id: 1 }]);
    },
};

(async () => {
    let n = 0;
    for (const [what, run] of Object.entries(tests)) {
        const name = `npm-${++n}`;
        await run(client.namespace(name), name);
        await local("DELETE", "/_local/faults");
        console.log(`ok ${what}`);
    }
    console.log(`all ${n} passed`);
})().catch((error) => {
    console.error(error);
    process.exit(1);
});
