// One bundle, parts imported on first use: a quick start from few files. The native addon stays outside.
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { writeConsole } from "./build-console.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
rmSync(join(root, "dist"), { recursive: true, force: true });
const started = performance.now();
await build({
  absWorkingDir: root,
  entryPoints: {
    cli: "emulators/suite/cli.ts",
    suite: "emulators/suite/suite.ts",
    clients: "emulators/suite/clients.ts",
  },
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node22.14",
  external: ["better-sqlite3"],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  // CommonJS packages inside an ES module bundle still call require for Node's own modules.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  logLevel: "warning",
});
await writeConsole(root);
process.stdout.write(`Built dist/ in ${Math.round(performance.now() - started)} ms.\n`);
