// Bundles the console's page for browsers: a folder of files, or the files themselves when nothing is to be written. esbuild
// is here already and knows TSX and CSS; another bundler would be one more tool for the same 100 ms.
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";

/** Name and bytes of each file. */
export async function bundleConsole(root) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { console: "emulators/suite/console/ui/main.tsx" },
    outdir: join(root, "dist", "console"),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    target: ["chrome123", "firefox121", "safari17.5"],
    jsx: "automatic",
    jsxImportSource: "preact",
    // A browser keeps a file for good under such a name.
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    minify: true,
    legalComments: "none",
    write: false,
    logLevel: "warning",
  });
  return new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
}

export async function writeConsole(root) {
  const folder = join(root, "dist", "console");
  mkdirSync(folder, { recursive: true });
  for (const [name, contents] of await bundleConsole(root)) writeFileSync(join(folder, name), contents);
}
