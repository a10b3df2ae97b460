/** The parameters of the query protocols of EC2 and STS. */
import { gunzipSync } from "node:zlib";
import type { Exchange } from "../kernel/exchange.ts";
import { AwsError, reject } from "./errors.ts";

export interface Filter {
  readonly name: string;
  readonly values: readonly string[];
}

export interface Parameters {
  readonly all: ReadonlyMap<string, string>;
  text(name: string): string | undefined;
  flag(name: string): boolean;
  integer(name: string): number | undefined;
  /** Epoch milliseconds. */
  instant(name: string): number | undefined;
  /** `Name.1`, `Name.2`, .. in order of number. */
  list(name: string): readonly string[];
  filters(): readonly Filter[];
}

const largestBody = 16 * 2 ** 20;

/** The query string's pairs, then the form's. */
export function readParameters(exchange: Exchange): Parameters {
  const pairs = new Map<string, string>();
  const question = exchange.target.indexOf("?");
  if (question >= 0) addPairs(pairs, exchange.target.slice(question + 1));
  if (exchange.body.length > 0) addPairs(pairs, bodyText(exchange));
  return view(pairs);
}

function bodyText(exchange: Exchange): string {
  if (exchange.header("content-encoding") !== "gzip") return exchange.body.toString("utf8");
  try {
    return gunzipSync(exchange.body, { maxOutputLength: largestBody }).toString("utf8");
  } catch (cause) {
    throw new AwsError("MalformedQueryString", 400, `The body is not valid gzip: ${String(cause)}`);
  }
}

function addPairs(pairs: Map<string, string>, text: string): void {
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = equals < 0 ? pair : pair.slice(0, equals);
    pairs.set(decode(name), equals < 0 ? "" : decode(pair.slice(equals + 1)));
  }
}

function decode(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    // decodeURIComponent says no more than "malformed", which is what the answer says.
    return reject("malformedQuery", text.slice(0, 100));
  }
}

const instantForm = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/;

function view(all: ReadonlyMap<string, string>): Parameters {
  const text = (name: string) => all.get(name);
  const numbered = (prefix: string): readonly (readonly [number, string, string])[] => {
    const found: (readonly [number, string, string])[] = [];
    for (const [key, value] of all) {
      if (!key.startsWith(prefix)) continue;
      const [, number, rest = ""] = /^(\d{1,6})(?:\.(.+))?$/.exec(key.slice(prefix.length)) ?? [];
      if (number !== undefined) found.push([Number(number), rest, value]);
    }
    return found.sort((left, right) => left[0] - right[0]);
  };
  return {
    all,
    text,
    flag(name) {
      const value = text(name);
      if (value === undefined || value === "false" || value === "0" || value === "") return false;
      return value === "true" || value === "1" || reject("badValue", camel(name), value);
    },
    integer(name) {
      const value = text(name);
      if (value === undefined) return undefined;
      return /^-?\d{1,10}$/.test(value) ? Number(value) : reject("badValue", camel(name), value);
    },
    instant(name) {
      const value = text(name);
      if (value === undefined) return undefined;
      const match = instantForm.exec(value);
      const zoned = match && value.includes("T") && match[1] === undefined ? `${value}Z` : value;
      const at = match ? Date.parse(zoned) : Number.NaN;
      return Number.isNaN(at) ? reject("badValue", camel(name), value) : at;
    },
    list: (name) =>
      numbered(`${name}.`)
        .filter(([, rest]) => rest === "")
        .map(([, , value]) => value),
    filters() {
      const found = new Map<number, { name: string; values: string[] }>();
      for (const [number, rest, value] of numbered("Filter.")) {
        const filter = found.get(number) ?? { name: "", values: [] };
        found.set(number, filter);
        if (rest === "Name") filter.name = value;
        else filter.values.push(value);
      }
      for (const [number, filter] of found) if (filter.name === "") reject("missingParameter", `Filter.${number}.Name`);
      return [...found.values()];
    },
  };
}

function camel(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** What any request may carry besides an action's own members: the protocol's, and those of a presigned query. */
const common =
  /^(Action|Version|X-Amz-[A-Za-z0-9-]+|AWSAccessKeyId|Signature|SignatureMethod|SignatureVersion|Timestamp|SecurityToken)$/;

/** Refuses a parameter that the action does not have. Names are given without list numbers: `Filter.Value`, `Tag.*`. */
export function refuseUnknown(parameters: Parameters, known: ReadonlySet<string>): void {
  for (const key of parameters.all.keys()) {
    if (known.has(key) || common.test(key) || known.has(key.replace(/\.\d+(?=\.|$)/g, ""))) continue;
    if (known.has(`${/^[^.]*/.exec(key)?.[0] ?? ""}.*`)) continue;
    reject("unknownParameter", key);
  }
}
