/**
 * Whether a planned fault covers a moment. A moment is a request (stage `request`) or a step of a
 * listener's dialogue (SMTP's `rcpt`); both are asked for facts by name: `path`, `header.accept`, `body.To`, `from`.
 */
import type { FaultInput } from "./fault-input.ts";
import type { IdPart } from "./ids.ts";

export type FaultRule = FaultInput & { readonly id: string };

export type Fact = string | number | readonly string[] | undefined;

export interface Moment {
  readonly stage: string;
  fact(name: string): Fact;
  /** What makes two moments the same: equal requests, one mail to one recipient. */
  content(): readonly IdPart[];
}

/** Whether the facts of a moment are what a rule asks for; counts and windows are the engine's. */
export type Covers = (moment: Moment) => boolean;

/** Checks come cheapest first: the body is only read for a rule that everything else already fits. */
export function compileMatch(match: FaultRule["match"]): Covers {
  const checks: (readonly [fact: string, test: (text: string) => boolean])[] = [];
  const add = (fact: string, pattern: string | undefined, inPath = false) => {
    if (pattern !== undefined) checks.push([fact, compilePattern(pattern, inPath)]);
  };
  const method = match.method?.toUpperCase();
  if (method !== undefined) checks.push(["method", (text) => text === method]);
  add("path", match.path, true);
  for (const [name, pattern] of Object.entries(match.facts ?? {})) add(name, pattern);
  for (const [name, pattern] of Object.entries(match.header ?? {})) add(`header.${name.toLowerCase()}`, pattern);
  add("resource", match.resource);
  add("operation", match.operation);
  for (const [name, pattern] of Object.entries(match.body ?? {})) add(`body.${name}`, pattern);
  return (moment) => {
    for (const [fact, test] of checks) if (!holds(moment.fact(fact), test)) return false;
    return true;
  };
}

function holds(fact: Fact, test: (text: string) => boolean): boolean {
  if (typeof fact === "string") return test(fact);
  if (fact === undefined) return false;
  return typeof fact === "number" ? test(String(fact)) : fact.some(test);
}

/** A path such as `/v1/` is no regular expression, though it has the slashes of one: `/^\/v1\/$/` is. */
const regexForm = /^\/(.+)\/(i?)$/s;
const regexSigns = /[\\^$.*+?()[\]{}|]/;

export function compilePattern(text: string, inPath = false): (value: string) => boolean {
  const [, source, flags] = regexForm.exec(text) ?? [];
  if (source !== undefined && (!inPath || regexSigns.test(source))) {
    const regex = new RegExp(source, flags);
    const prefix = flags === "" ? literalPrefix(source) : "";
    return prefix === "" ? (value) => regex.test(value) : (value) => value.startsWith(prefix) && regex.test(value);
  }
  const compared = /^(<=?|>=?)(\d+)$/.exec(text);
  if (compared) return comparison(compared[1] ?? "", Number(compared[2]));
  if (!text.includes("*")) return (value) => value === text;
  const glob = new RegExp(
    `^${text
      .split(/(\*+)/)
      .map((part) => {
        if (part.startsWith("*")) return inPath && part.length === 1 ? "[^/]*" : ".*";
        return part.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
      })
      .join("")}$`,
    "s",
  );
  return (value) => glob.test(value);
}

/** The text that everything a regular expression matches begins with, as far as it is easy to see: a cheap first check. */
function literalPrefix(source: string): string {
  const [, written = ""] = source.includes("|") ? [] : (/^\^((?:\\\/|[\w-])+)(?![*?{])/.exec(source) ?? []);
  return written.replaceAll("\\/", "/");
}

/** The first segment of every path a rule can cover; undefined when it may be any. */
export function firstSegment(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const [, source, flags] = regexForm.exec(path) ?? [];
  const start = source !== undefined && regexSigns.test(source) ? (flags === "" ? literalPrefix(source) : "") : path;
  return /^\/([^/*]+)(\/|$)/.exec(start === path ? path : `${start}*`)?.[1];
}

function comparison(sign: string, limit: number): (value: string) => boolean {
  switch (sign) {
    case "<":
      return (value) => Number(value) < limit;
    case "<=":
      return (value) => Number(value) <= limit;
    case ">":
      return (value) => Number(value) > limit;
    default:
      return (value) => Number(value) >= limit;
  }
}
