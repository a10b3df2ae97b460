/** The flat names of a query request as a tree: `TagSpecification.1.Tag.2.Key` is four steps down. */
import { reject } from "./errors.ts";
import type { Parameters } from "./query-protocol.ts";

export interface Node {
  readonly path: string;
  /** Whether anything is here or below. */
  readonly given: boolean;
  text(name: string): string | undefined;
  flag(name: string): boolean | undefined;
  integer(name: string): number | undefined;
  instant(name: string): number | undefined;
  at(name: string): Node;
  /** `Name.1`, `Name.2`, .. in order of number. */
  items(name: string): readonly Node[];
  /** Names of what is directly below. */
  names(): readonly string[];
  /** Values of a list of texts. */
  list(name: string): readonly string[];
  /** Everything below with the names relative to here. */
  entries(): readonly (readonly [name: string, value: string])[];
}

interface Branch {
  value: string | undefined;
  readonly below: Map<string, Branch>;
}

const most = 10_000;

export function treeOf(parameters: Parameters): Node {
  return grow(parameters.all);
}

/** The same from pairs that were kept. */
export function grow(pairs: Iterable<readonly [string, string]>): Node {
  const root: Branch = { value: undefined, below: new Map() };
  let count = 0;
  for (const [name, value] of pairs) {
    count += 1;
    if (count > most) break;
    let branch = root;
    for (const step of name.split(".")) {
      let next = branch.below.get(step);
      if (!next) {
        next = { value: undefined, below: new Map() };
        branch.below.set(step, next);
      }
      branch = next;
    }
    branch.value = value;
  }
  return view(root, "");
}

const empty: Branch = { value: undefined, below: new Map() };

function view(branch: Branch, path: string): Node {
  const named = (name: string) => (path === "" ? name : `${path}.${name}`);
  const child = (name: string): Branch => {
    let found: Branch | undefined = branch;
    for (const step of name.split(".")) found = found?.below.get(step);
    return found ?? empty;
  };
  const text = (name: string) => child(name).value;
  const numbered = (name: string) =>
    [...child(name).below]
      .filter(([step]) => /^\d{1,6}$/.test(step))
      .sort(([left], [right]) => Number(left) - Number(right));
  return {
    path,
    given: branch.value !== undefined || branch.below.size > 0,
    text,
    flag(name) {
      const value = text(name)?.toLowerCase();
      if (value === undefined || value === "") return undefined;
      if (value === "true" || value === "1") return true;
      return value === "false" || value === "0" ? false : reject("badValue", named(name), value);
    },
    integer(name) {
      const value = text(name);
      if (value === undefined) return undefined;
      return /^-?\d{1,10}$/.test(value) ? Number(value) : reject("badValue", named(name), value);
    },
    instant(name) {
      const value = text(name);
      if (value === undefined) return undefined;
      const at = /^\d{4}-\d\d-\d\d/.test(value)
        ? Date.parse(/T.*(Z|[+-]\d\d:?\d\d)$/.test(value) || !value.includes("T") ? value : `${value}Z`)
        : Number.NaN;
      return Number.isNaN(at) ? reject("badValue", named(name), value) : at;
    },
    at: (name) => view(child(name), named(name)),
    items: (name) => numbered(name).map(([step, found]) => view(found, named(`${name}.${step}`))),
    names: () => [...branch.below.keys()],
    list: (name) => numbered(name).flatMap(([, found]) => (found.value === undefined ? [] : [found.value])),
    entries() {
      const found: (readonly [string, string])[] = [];
      const walk = (at: Branch, prefix: string) => {
        if (at.value !== undefined && prefix !== "") found.push([prefix, at.value]);
        for (const [step, next] of at.below) walk(next, prefix === "" ? step : `${prefix}.${step}`);
      };
      walk(branch, "");
      return found;
    },
  };
}
