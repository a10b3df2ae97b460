/** The words of a `$filter` or an `$apply`. */
import { ODataProblem } from "./problem.ts";

export type Token = { readonly at: number; readonly end: number } & (
  | { readonly tag: "string"; readonly value: string }
  | { readonly tag: "date"; readonly value: number }
  | { readonly tag: "number"; readonly value: number }
  | { readonly tag: "name"; readonly value: string }
  | { readonly tag: "(" | ")" | "," | "/" | ":" | "end" }
);

const space = /\s+/y;
const text = /'((?:[^']|'')*)'/y;
// A date may stand alone, as may one with a time; offsets other than Z are allowed by OData.
const date = /\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?(?![\w.])/iy;
const number = /-?\d+(?:\.\d+)?(?![\w.])/y;
const name = /[A-Za-z_@$][\w.@]*(?:\/(?:any|all)(?=\s*\())?/iy;

export function tokenize(filter: string, option = "$filter"): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(filter);
    if (match) at = pattern.lastIndex;
    return match;
  };
  while (at < filter.length) {
    if (take(space)) continue;
    const from = at;
    const found = next(option, filter, from, take);
    if (at === from) at += 1;
    tokens.push({ ...found, at: from, end: at });
  }
  tokens.push({ tag: "end", at, end: at });
  return tokens;
}

type Found =
  | { tag: "string" | "name"; value: string }
  | { tag: "date" | "number"; value: number }
  | { tag: "(" | ")" | "," | "/" | ":" };

function next(option: string, filter: string, at: number, take: (pattern: RegExp) => RegExpExecArray | null): Found {
  const first = filter.charAt(at);
  if (first === "(" || first === ")" || first === "," || first === "/" || first === ":") return { tag: first };
  const string = take(text);
  if (string) return { tag: "string", value: (string[1] ?? "").replaceAll("''", "'") };
  if (first === "'") throw new ODataProblem(option, "There is an unterminated string literal", at);
  const instant = take(date);
  if (instant) {
    const value = parseInstant(instant[0]);
    if (value === undefined) throw new ODataProblem(option, `'${instant[0]}' is not a date and time`, at);
    return { tag: "date", value };
  }
  const digits = take(number);
  if (digits) return { tag: "number", value: Number(digits[0]) };
  const word = take(name);
  if (word) return { tag: "name", value: word[0] };
  throw new ODataProblem(option, `Syntax error: character '${first}' is not valid`, at);
}

/**
 * Epoch milliseconds, with fractions, of ISO 8601 or `yyyy-MM-dd HH:mm:ssZ`; without a zone it is UTC. Undefined when it
 * is no such text.
 */
export function parseInstant(value: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?$/i.exec(value.trim());
  if (!match) return undefined;
  const [, day, minutes = "00:00", seconds = ":00", fraction = "", zone = "Z"] = match;
  const whole = Date.parse(`${day}T${minutes}${seconds}${zone.toUpperCase()}`);
  return Number.isNaN(whole) ? undefined : whole + Number(`0${fraction}`) * 1000;
}
