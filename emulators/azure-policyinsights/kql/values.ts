/** Values of a query: JSON, instants and spans of time. */

export class Timespan {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
}

/** A document of which members are read one by one, so that a million of them are not made whole to count one member. */
export interface Lazy {
  readonly lazy: true;
  member(name: string): Value;
  whole(): Value;
}

export type Value =
  | string
  | number
  | boolean
  | null
  | Date
  | Timespan
  | Lazy
  | readonly Value[]
  | { readonly [name: string]: Value };

export type Row = readonly Value[];

export function isLazy(value: Value): value is Lazy {
  return typeof value === "object" && value !== null && "lazy" in value && value.lazy === true && "whole" in value;
}

export function isBag(value: Value): value is { readonly [name: string]: Value } {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !(value instanceof Timespan) &&
    !isLazy(value)
  );
}

export function memberOf(value: Value, name: Value): Value {
  if (isLazy(value)) return typeof name === "string" ? value.member(name) : null;
  if (Array.isArray(value)) {
    const list: readonly Value[] = value;
    return typeof name === "number" ? (list[name < 0 ? list.length + name : name] ?? null) : null;
  }
  return isBag(value) && typeof name === "string" && Object.hasOwn(value, name) ? (value[name] ?? null) : null;
}

export function asText(value: Value): string {
  if (value === null) return "";
  if (typeof value === "string") return value;
  if (value instanceof Date) return `${value.toISOString().slice(0, -1)}0000Z`;
  if (value instanceof Timespan) return spanText(value.ms);
  if (typeof value === "object") return JSON.stringify(shown(value));
  return String(value);
}

function spanText(ms: number): string {
  const time = new Date(Math.abs(ms)).toISOString().slice(11, 19);
  const days = Math.floor(Math.abs(ms) / 86_400_000);
  return `${ms < 0 ? "-" : ""}${days > 0 ? `${days}.` : ""}${time}`;
}

export function asNumber(value: Value): number | null {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value !== "string" || value.trim() === "") return null;
  const found = Number(value);
  return Number.isNaN(found) ? null : found;
}

export function asBoolean(value: Value): boolean | null {
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return value !== 0;
  const word = typeof value === "string" ? value.toLowerCase() : "";
  return word === "true" ? true : word === "false" ? false : null;
}

export function asDate(value: Value): Date | null {
  if (value instanceof Date) return value;
  if (typeof value !== "string") return null;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : new Date(at);
}

/** As JSON carries it. */
export function shown(value: Value): unknown {
  if (value instanceof Date || value instanceof Timespan) return asText(value);
  if (typeof value !== "object" || value === null) return value;
  if (isLazy(value)) return shown(value.whole());
  if (Array.isArray(value)) return value.map(shown);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shown(inner)]));
}

/** A text that is the same for equal values: what groups and joins go by. */
export function keyOf(value: Value): string {
  return value === null ? "" : `${typeof value === "number" ? "n" : "s"}${asText(value)}`;
}

/** Below, equal, above zero; undefined for what has no order. */
export function compare(left: Value, right: Value): number | undefined {
  if (left === null || right === null) return undefined;
  if (typeof left === "number" && typeof right === "number") return left - right;
  if (left instanceof Timespan && right instanceof Timespan) return left.ms - right.ms;
  if (left instanceof Date || right instanceof Date) {
    const [a, b] = [asDate(left), asDate(right)];
    return a && b ? a.getTime() - b.getTime() : undefined;
  }
  if (typeof left === "boolean" && typeof right === "boolean") return Number(left) - Number(right);
  if (typeof left === "number" || typeof right === "number") {
    const [a, b] = [asNumber(left), asNumber(right)];
    return a === null || b === null ? undefined : a - b;
  }
  const [a, b] = [asText(left), asText(right)];
  return a < b ? -1 : a > b ? 1 : 0;
}
