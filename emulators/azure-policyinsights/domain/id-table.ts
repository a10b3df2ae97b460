/**
 * Which resources have an id that passes a test, without writing hundreds of thousands of ids: most ids are a first
 * part, shared by all of a type in a group, and a hash in base 36. What the first part decides is decided once.
 */
import type { Estate } from "./estate.ts";
import { idHead, resourceId } from "./fields.ts";
import { idMiddle, idTail, parentOf } from "./resource-ids.ts";
import { resourceTypes } from "./resource-types.ts";

export type IdTest =
  | { readonly tag: "contains" | "startswith" | "endswith"; readonly value: string }
  /** `holds` is told how the id compares with `value`: below 0, 0 or above. */
  | { readonly tag: "order"; readonly value: string; holds(difference: number): boolean };

/** Whether an id with a certain first part passes: always, never, or as the resource's hash says. */
type Decision = boolean | ((hash: number) => boolean);

/** A bit for each resource; ids and `value` are in lower case. */
export function idTable(estate: Estate, test: IdTest): Uint8Array {
  const { count, hash: hashes, group, type } = estate.resources;
  const bits = new Uint8Array(count);
  const decided: (Decision | undefined)[] = new Array((estate.groups.length + 1) * resourceTypes.length).fill(
    undefined,
  );
  const decide = decider(test);
  const types = resourceTypes.length;
  for (let code = 0; code < count; code += 1) {
    const hash = hashes[code] ?? 0;
    const kind = type[code] ?? 0;
    const key = (group[code] ?? 0) * types + kind;
    let decision = hash === 0 ? undefined : decided[key];
    if (decision === undefined) {
      const head = idHead(estate, code);
      decision = head === undefined ? passes(test, resourceId(estate, code)) : decide(head, kind);
      if (head !== undefined) decided[key] = decision;
    }
    if (decision === true || (decision !== false && decision(hash))) bits[code] = 1;
  }
  return bits;
}

function passes(test: IdTest, id: string): boolean {
  switch (test.tag) {
    case "contains":
      return id.includes(test.value);
    case "startswith":
      return id.startsWith(test.value);
    case "endswith":
      return id.endsWith(test.value);
    case "order":
      return test.holds(id === test.value ? 0 : id < test.value ? -1 : 1);
  }
}

function decider(test: IdTest): (head: string, type: number) => Decision {
  const { value } = test;
  const byText = (head: string, type: number): Decision => {
    return (hash) => passes(test, head + idTail(type, hash));
  };
  switch (test.tag) {
    case "contains": {
      // The heads of one type end alike, and what their ends decide is the same.
      const known = new Map<string, Decision>();
      return (head, type) => {
        if (head.includes(value)) return true;
        const end = value.length > 1 ? head.slice(1 - value.length) : "";
        const key = `${type} ${end}`;
        const decision = known.get(key) ?? containing(end, type, value);
        known.set(key, decision);
        return decision;
      };
    }
    case "startswith":
      return (head, type) =>
        value.length > head.length && value.startsWith(head) ? byText(head, type) : head.startsWith(value);
    case "endswith": {
      if (value === "") return () => true;
      const last = digitOf(value.charCodeAt(value.length - 1));
      if (last < 0) return () => false;
      return (head, type) => (hash) => hash % 36 === last && passes(test, head + idTail(type, hash));
    }
    case "order":
      return (head, type) => (value.startsWith(head) ? byText(head, type) : test.holds(head < value ? -1 : 1));
  }
}

/** Digits of 32 bits, and of 16, in base 36. */
const mostDigits = 7;
const mostParentDigits = 4;
const pattern = /^[0-9a-z]+$/;

/** Whether a text that no head contains may lie in what follows the head's end. */
function containing(end: string, type: number, value: string): Decision {
  const middle = idMiddle(type);
  if (middle === undefined) return amongDigits(end, value);
  if (value.includes("/")) return fits(end, middle, value) && ((hash) => (end + idTail(type, hash)).includes(value));
  // It lies between two slashes.
  if (middle.includes(value)) return true;
  const inParent = amongDigits(end, value);
  const inOwn = amongDigits(middle, value);
  if (typeof inParent === "boolean" && typeof inOwn === "boolean") return inParent || inOwn;
  const passesFor = (decision: Decision, hash: number) => decision === true || (decision !== false && decision(hash));
  return (hash) => passesFor(inParent, parentOf(hash)) || passesFor(inOwn, hash);
}

/** Whether it starts in the text before a number and ends in the number's digits, or lies in those. */
function amongDigits(before: string, value: string): Decision {
  const across: Digits[] = [];
  for (let length = 1; length < value.length && length <= mostDigits; length += 1) {
    const rest = value.slice(-length);
    if (pattern.test(rest) && before.endsWith(value.slice(0, -length))) across.push(digitsOf(rest));
  }
  const inside = value.length <= mostDigits && pattern.test(value) ? digitsOf(value) : undefined;
  if (across.length === 0 && !inside) return false;
  return (hash) =>
    across.some((digits) => startsWith(hash, digits)) || (inside !== undefined && includes(hash, inside));
}

/** Whether the text would be found if every digit were any digit. */
function fits(end: string, middle: string, value: string): boolean {
  const any = "\u0000";
  for (let parent = 1; parent <= mostParentDigits; parent += 1) {
    const text = end + any.repeat(parent) + middle + any.repeat(mostDigits);
    for (let start = 0; start + value.length <= text.length; start += 1) {
      let at = 0;
      while (at < value.length && same(text.charAt(start + at), value.charAt(at))) at += 1;
      if (at === value.length) return true;
    }
  }
  return false;
}

function same(placed: string, wanted: string): boolean {
  return placed === "\u0000" ? digitOf(wanted.charCodeAt(0)) >= 0 : placed === wanted;
}

interface Digits {
  readonly value: number;
  /** 36 to the power of how many there are. */
  readonly span: number;
}

function digitsOf(text: string): Digits {
  let value = 0;
  for (let at = 0; at < text.length; at += 1) value = value * 36 + digitOf(text.charCodeAt(at));
  return { value, span: 36 ** text.length };
}

/** -1 for what is no digit. */
function digitOf(unit: number): number {
  if (unit >= 48 && unit <= 57) return unit - 48;
  return unit >= 97 && unit <= 122 ? unit - 87 : -1;
}

/** A number starts with digits when it is left with them after enough divisions, and is no shorter. */
function startsWith(hash: number, { value, span }: Digits): boolean {
  let rest = hash;
  while (rest >= span) rest = Math.floor(rest / 36);
  return rest === value && rest * 36 >= span;
}

function includes(hash: number, { value, span }: Digits): boolean {
  // Not by `%`, which is slow for numbers that do not fit 31 bits.
  for (let rest = hash; rest * 36 >= span; rest = Math.floor(rest / 36))
    if (rest - Math.floor(rest / span) * span === value) return true;
  return false;
}
