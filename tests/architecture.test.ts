/** The house rules that an import can break: who may know whom. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../emulators/kernel/package-root.ts";

const root = join(packageRoot(), "emulators");
const providers = readdirSync(root).filter(
  (name) => statSync(join(root, name)).isDirectory() && name !== "kernel" && name !== "suite",
);

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

const imports = sources(root).flatMap((path) => {
  const text = readFileSync(path, "utf8");
  return [...text.matchAll(/(import|export)\s+(type\s)?[^"';]*?from\s+"(\.[^"]+)"|import\("(\.[^"]+)"\)/g)].map(
    (match) => ({
      from: relative(root, path),
      to: relative(root, normalize(join(dirname(path), match[3] ?? match[4] ?? ""))),
      typeOnly: match[2] !== undefined,
      kind: match[4] !== undefined ? "later" : match[2] !== undefined ? "type" : "value",
    }),
  );
});
const room = (path: string) => path.split("/")[0] ?? "";
const shown = (found: typeof imports) => found.map(({ from, to }) => `${from} -> ${to}`);

test("there is something to look at", () => {
  expect(providers.sort()).toEqual(["azure-policyinsights", "ec2-spot", "smtp", "twilio"]);
  expect(imports.length).toBeGreaterThan(100);
});

test("the kernel imports nothing but itself", () => {
  expect(shown(imports.filter(({ from, to }) => room(from) === "kernel" && room(to) !== "kernel"))).toEqual([]);
});

test("emulators import the kernel and themselves, never each other nor the suite", () => {
  expect(
    shown(
      imports.filter(
        ({ from, to }) => providers.includes(room(from)) && room(to) !== "kernel" && room(to) !== room(from),
      ),
    ),
  ).toEqual([]);
});

test("only the registry opens an emulator's index", () => {
  const found = imports.filter(
    ({ from, to }) => providers.includes(room(to)) && (room(from) !== room(to) || /^[^/]+\/index\.ts$/.test(to)),
  );
  expect(new Set(found.map(({ from }) => from))).toEqual(new Set(["suite/registry.ts"]));
});

test("domain and wire import only types, and each other", () => {
  const inner = (path: string) => ["domain", "wire", "odata"].includes(path.split("/")[1] ?? "");
  const found = imports.filter(
    ({ from, to, typeOnly }) => providers.includes(room(from)) && inner(from) && !inner(to) && !typeOnly,
  );
  expect(shown(found)).toEqual([]);
});

test("no file of a domain leads back to itself, not even by types", () => {
  const next = Map.groupBy(
    imports.filter(({ from, to }) => [from, to].every((path) => path.split("/")[1] === "domain")),
    ({ from }) => from,
  );
  const reached = (start: string) => {
    const found = new Set<string>();
    const open = [start];
    for (let file = open.pop(); file !== undefined; file = open.pop())
      for (const { to } of next.get(file) ?? []) {
        if (!found.has(to)) open.push(to);
        found.add(to);
      }
    return found;
  };
  expect(next.size).toBeGreaterThan(50);
  expect([...next.keys()].filter((file) => reached(file).has(file))).toEqual([]);
});

test("only the clock reads the machine's time, and nothing draws at random", () => {
  const calls = /(?<![.\w])(Date\.now\(\)|new Date\(\)|Math\.random\(|setTimeout\(|setInterval\(|performance\.now\()/;
  const found = sources(root)
    .filter((path) => !path.endsWith("kernel/clock.ts") && !path.includes("/console/ui/"))
    .filter((path) => calls.test(readFileSync(path, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "")));
  expect(found.map((path) => relative(root, path))).toEqual([]);
});

test("a start loads no schema library: forms are in files of their own, imported with the first request that is checked", () => {
  const loaded = new Set<string>();
  const load = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { from, to, kind } of imports) if (from === path && kind === "value") load(to);
  };
  for (const path of ["suite/cli.ts", "suite/commands/up.ts", ...providers.map((name) => `${name}/index.ts`)])
    load(path);
  expect(loaded.size).toBeGreaterThan(300);
  const wanting = [...loaded].filter((path) =>
    /^import \* as z from "zod"/m.test(readFileSync(join(root, path), "utf8")),
  );
  expect(wanting).toEqual([]);
});
