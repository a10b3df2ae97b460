#!/usr/bin/env node
// Plain JavaScript that any Node reads. better-sqlite3 needs Node-API 10 (Node 22.14) and ends older versions with a bare
// segmentation fault, so this looks before anything is loaded: a Node that is too old hands over to the bundled one.
import { createRequire } from "node:module";

// Required, not imported: an import reads every export of Node's module, and those of node:fs load its streams.
const require = createRequire(import.meta.url);
const { existsSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { fileURLToPath, pathToFileURL } = require("node:url");

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bundle = join(root, "dist", "cli.js");

function bundledNode() {
  const name = `node-${process.platform}-${process.arch}`;
  const path = join(root, "node_modules", name, "bin", "node");
  return existsSync(path) ? path : undefined;
}

if (Number(process.versions.napi) < 10) {
  const newer = bundledNode();
  if (newer === undefined) {
    process.stderr.write(`Backlot needs Node 22.14 or newer; this is ${process.version}.\n`);
    process.exit(1);
  }
  const { spawn } = require("node:child_process");
  const child = spawn(newer, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
} else if (!existsSync(bundle)) {
  process.stderr.write("Backlot is not built yet: run `npm run build`.\n");
  process.exit(1);
} else {
  const { enableCompileCache } = require("node:module");
  enableCompileCache?.(join(root, "node_modules", ".cache", "backlot"));
  const { main } = await import(pathToFileURL(bundle).href);
  process.exitCode = await main(process.argv.slice(2));
}
