/** What differs between two packs, field by field; volatile/ is left out unless asked for. */
import { compareText } from "./canonical.ts";
import type { Files } from "./files.ts";
import { jsonDifferences, short } from "./json-differences.ts";
import { names } from "./pack.ts";
import { readTree } from "./tree.ts";
import { fingerprintOf } from "./verify.ts";

export interface Difference {
  readonly path: string;
  readonly kind: "added" | "removed" | "changed";
  /** `counts.messages: 3 -> 4`, the first of them. */
  readonly fields: readonly string[];
}

export interface Compared {
  readonly identical: boolean;
  /** Those of mode.json first: a version or a setting explains most others. */
  readonly differences: readonly Difference[];
}

const most = 20;
const derived = new Set<string>([names.manifest, names.sums, names.attestation]);

export function comparePacks(left: string, right: string, options: { readonly volatile?: boolean } = {}): Compared {
  const [one, two] = [filesOf(left), filesOf(right)];
  const prints = [fingerprintOf(one), fingerprintOf(two)];
  if (options.volatile !== true && prints[0] !== undefined && prints[0] === prints[1])
    return { identical: true, differences: [] };
  const paths = [...new Set([...one.keys(), ...two.keys()])]
    .filter((path) => !derived.has(path) && (options.volatile === true || !path.startsWith(names.volatile)))
    .sort((a, b) => Number(b === "mode.json") - Number(a === "mode.json") || compareText(a, b));
  const differences = paths.flatMap((path): readonly Difference[] => {
    const [before, after] = [one.get(path), two.get(path)];
    if (!before) return [{ path, kind: "added", fields: [] }];
    if (!after) return [{ path, kind: "removed", fields: [] }];
    return before.equals(after)
      ? []
      : [{ path, kind: "changed", fields: fieldsOf(path, before, after).slice(0, most) }];
  });
  return { identical: differences.length === 0, differences };
}

function filesOf(path: string): Files {
  const { files } = readTree(path);
  if (!files.has(names.manifest)) throw new Error(`${path} is no pack: there is no ${names.manifest} in it.`);
  return files;
}

function fieldsOf(path: string, before: Buffer, after: Buffer): readonly string[] {
  const [left, right] = [before.toString("utf8"), after.toString("utf8")];
  if (/\.(json|har)$/.test(path)) return jsonDifferences(JSON.parse(left), JSON.parse(right), "");
  const [lines, others] = [left.split("\n"), right.split("\n")];
  if (path.endsWith(".jsonl"))
    return lines
      .slice(0, others.length)
      .flatMap((line, n) =>
        line === others[n] || line === "" || !others[n]
          ? []
          : jsonDifferences(JSON.parse(line), JSON.parse(others[n]), `line ${n + 1}`),
      );
  const found = Array.from({ length: Math.max(lines.length, others.length) }, (_, n) => n)
    .filter((n) => lines[n] !== others[n])
    .map((n) => `line ${n + 1}: ${short(lines[n])} -> ${short(others[n])}`);
  return found;
}
