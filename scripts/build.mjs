// One bundle, parts imported on first use: a quick start from few files. The native addon stays outside.
import { rmSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { writeConsole } from "./build-console.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
rmSync(join(root, "dist"), { recursive: true, force: true });
const started = performance.now();

/**
 * An ES module's `import` of one of Node's modules reads each of its exports, and some load what they stand for: all of
 * undici for node:http's WebSocket (50 ms of every start), webcrypto, node:assert, node:cluster. Asked for as plain objects,
 * they wait until they are used.
 */
const plainBuiltins = {
  name: "plain-builtins",
  setup(bundling) {
    // One for each file that imports it: a shared one would become a chunk of its own.
    bundling.onResolve({ filter: /./ }, ({ path, kind, importer }) =>
      kind === "import-statement" && isBuiltin(path)
        ? { path, suffix: `?${importer}`, namespace: "builtin" }
        : undefined,
    );
    bundling.onLoad({ filter: /./, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

await build({
  absWorkingDir: root,
  entryPoints: {
    cli: "emulators/suite/cli.ts",
    suite: "emulators/suite/suite.ts",
    clients: "emulators/suite/clients.ts",
    seeds: "emulators/suite/seeds.ts",
  },
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node22.14",
  external: ["better-sqlite3"],
  plugins: [plainBuiltins],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  // CommonJS packages inside an ES module bundle still call require for Node's own modules.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  logLevel: "warning",
});
await Promise.all([writeConsole(root), import(pathToFileURL(join(root, "dist", "seeds.js")).href)]);
process.stdout.write(`Built dist/ in ${Math.round(performance.now() - started)} ms.\n`);
