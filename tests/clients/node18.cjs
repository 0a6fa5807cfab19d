/* Debian 12 has Node 18; turbopuffer's client expects the global File that came with Node 20. */
globalThis.File ??= require("node:buffer").File;
