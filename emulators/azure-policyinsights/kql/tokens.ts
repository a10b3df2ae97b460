/** Words of a Kusto query. One pass, no backtracking. */
import { KqlProblem } from "./problem.ts";

export type Token =
  | { readonly kind: "name"; readonly text: string; readonly at: number; readonly end: number }
  | { readonly kind: "string"; readonly text: string; readonly at: number; readonly end: number }
  | {
      readonly kind: "number";
      readonly text: string;
      readonly value: number;
      readonly at: number;
      readonly end: number;
    }
  /** Milliseconds. */
  | {
      readonly kind: "timespan";
      readonly text: string;
      readonly value: number;
      readonly at: number;
      readonly end: number;
    }
  | { readonly kind: "sign"; readonly text: string; readonly at: number; readonly end: number }
  | { readonly kind: "end"; readonly text: ""; readonly at: number; readonly end: number };

const units: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };
const signs = [
  "..",
  "==",
  "!=",
  "=~",
  "!~",
  "<=",
  ">=",
  "|",
  "(",
  ")",
  "[",
  "]",
  ",",
  ".",
  "<",
  ">",
  "=",
  "+",
  "-",
  "*",
  "/",
  "%",
  ":",
  "{",
  "}",
  ";",
];
const negated = [
  "!in~",
  "!in",
  "!contains_cs",
  "!contains",
  "!has_cs",
  "!has",
  "!startswith_cs",
  "!startswith",
  "!endswith_cs",
  "!endswith",
];

const isLetter = (code: number) =>
  (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95 || code === 36;
const isDigit = (code: number) => code >= 48 && code <= 57;
const isWord = (code: number) => isLetter(code) || isDigit(code);

export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code <= 32 || code === 0xa0) {
      at += 1;
      continue;
    }
    if (text.startsWith("//", at)) {
      const line = text.indexOf("\n", at);
      at = line < 0 ? text.length : line + 1;
      continue;
    }
    const token = next(text, at, code);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: "end", text: "", at, end: at });
  return tokens;
}

function next(text: string, at: number, code: number): Token {
  if (isLetter(code)) return name(text, at);
  if (isDigit(code)) return number(text, at);
  if (code === 34 || code === 39) return quoted(text, at, at, false);
  if (code === 64 && /["']/.test(text[at + 1] ?? "")) return quoted(text, at, at + 1, true);
  if (code === 33) {
    const found = negated.find((each) => text.slice(at, at + each.length).toLowerCase() === each);
    if (found && !isWord(text.charCodeAt(at + found.length)))
      return { kind: "name", text: found, at, end: at + found.length };
  }
  const sign = signs.find((each) => text.startsWith(each, at));
  if (sign === undefined) throw new KqlProblem("ParserFailure", at, `'${text[at]}' is not expected here`, text[at]);
  return { kind: "sign", text: sign, at, end: at + sign.length };
}

function name(text: string, at: number): Token {
  let end = at + 1;
  while (end < text.length && isWord(text.charCodeAt(end))) end += 1;
  const word = text.slice(at, end);
  // The one word with a sign at its end, and operators with a dash inside.
  if (word.toLowerCase() === "in" && text[end] === "~") return { kind: "name", text: "in~", at, end: end + 1 };
  const dashed = /^(project|mv)-[a-z]+/i.exec(text.slice(at, at + 20))?.[0];
  if (dashed !== undefined && dashed.length > word.length)
    return { kind: "name", text: dashed, at, end: at + dashed.length };
  return { kind: "name", text: word, at, end };
}

function number(text: string, at: number): Token {
  let end = at;
  while (isDigit(text.charCodeAt(end))) end += 1;
  if (text[end] === "." && isDigit(text.charCodeAt(end + 1))) {
    end += 1;
    while (isDigit(text.charCodeAt(end))) end += 1;
  }
  const value = Number(text.slice(at, end));
  const unit = /^(ms|[dhms])(?![A-Za-z0-9_])/.exec(text.slice(end, end + 3))?.[1];
  if (unit !== undefined) {
    const whole = end + unit.length;
    return { kind: "timespan", text: text.slice(at, whole), value: value * (units[unit] ?? 0), at, end: whole };
  }
  return { kind: "number", text: text.slice(at, end), value, at, end };
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\\": "\\", "'": "'", '"': '"' };

function quoted(text: string, at: number, open: number, verbatim: boolean): Token {
  const quote = text[open];
  let value = "";
  for (let index = open + 1; index < text.length; index += 1) {
    const char = text[index] ?? "";
    if (char === quote) {
      if (!verbatim || text[index + 1] !== quote) return { kind: "string", text: value, at, end: index + 1 };
      index += 1;
      value += quote;
    } else if (char === "\\" && !verbatim) {
      index += 1;
      value += escapes[text[index] ?? ""] ?? `\\${text[index] ?? ""}`;
    } else value += char;
  }
  throw new KqlProblem("ParserFailure", at, "the text does not end", quote);
}
