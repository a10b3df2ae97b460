/** The page's files: built ones from dist/console, or bundled from the sources when somebody first asks. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "../../kernel/package-root.ts";

export interface PageFile {
  readonly bytes: Uint8Array;
  readonly type: string;
}

export interface PageFiles {
  read(name: string): Promise<PageFile | undefined>;
  names(): Promise<readonly string[]>;
}

const types: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
};

/** Reads nothing until the page or a file is wanted, so that a start without a browser pays nothing. */
export function createPageFiles(): PageFiles {
  let loading: Promise<ReadonlyMap<string, Uint8Array>> | undefined;
  const loaded = () => {
    loading ??= load().catch((cause: unknown) => {
      loading = undefined; // a half-saved source file; the next reload tries again
      throw cause;
    });
    return loading;
  };
  return {
    names: async () => [...(await loaded()).keys()],
    async read(name) {
      const bytes = (await loaded()).get(name);
      return bytes && { bytes, type: types[name.split(".").at(-1) ?? ""] ?? "application/octet-stream" };
    },
  };
}

async function load(): Promise<ReadonlyMap<string, Uint8Array>> {
  const root = packageRoot();
  const bundler = join(root, "scripts", "build-console.mjs");
  if (runsFromSources() && existsSync(bundler)) {
    const { bundleConsole } = (await import(pathToFileURL(bundler).href)) as {
      bundleConsole(root: string): Promise<ReadonlyMap<string, Uint8Array>>;
    };
    return bundleConsole(root);
  }
  const folder = join(root, "dist", "console");
  const names = await readdir(folder);
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)));
}

function runsFromSources(): boolean {
  return import.meta.url.endsWith(".ts");
}
