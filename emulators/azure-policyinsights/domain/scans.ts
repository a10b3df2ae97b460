/**
 * When rows are evaluated. Each subscription is scanned once a day, from its own time of day; a row's offset says how far
 * into the scan it comes. So at any instant every row has exactly one evaluation in the 24 hours before, as in Azure.
 */
import type { Estate, Subscription } from "./estate.ts";

export const dayMs = 86_400_000;
/** Offsets count 800 ns: 32 bits of them are 57 minutes, and the seventh decimal of a timestamp still varies. */
const offsetMs = 0.0008;
export const scanSpread = 4_200_000_000;

/** One scan of one subscription, and the part of it that a query sees. */
export interface Scan {
  readonly subscription: number;
  /** Days since 1970-01-01, which decides the day's compliance. */
  readonly day: number;
  /** Epoch milliseconds. */
  readonly start: number;
  /** Offsets seen: above `after`, up to and including `until`. */
  readonly after: number;
  readonly until: number;
}

export interface Window {
  /** Epoch milliseconds with fractions, inclusive. */
  readonly from: number;
  readonly to: number;
}

/** States are kept for about a week, events for about three months. */
const keptDays = { states: 7, events: 90 };

/**
 * The scans of a subscription that a window touches, newest first. With `latestOnly` each row is in at most one of them:
 * the newest at or before the window's end.
 */
export function scansOf(
  subscription: Subscription,
  code: number,
  window: Window,
  latestOnly: boolean,
  kind: "states" | "events" = "states",
): readonly Scan[] {
  const scans: Scan[] = [];
  const newest = Math.floor((window.to - subscription.scanAt) / dayMs);
  const last = latestOnly
    ? newest - 1
    : Math.max(newest - keptDays[kind], Math.floor((window.from - subscription.scanAt) / dayMs) - 1);
  for (let day = newest; day >= last; day -= 1) {
    const start = day * dayMs + subscription.scanAt;
    const seen = Math.floor((window.to - start) / offsetMs);
    const until = Math.min(seen, scanSpread);
    // The day before, `latest` shows only what the newest scan has not reached yet.
    const reached = latestOnly && day < newest ? Math.floor((window.to - start - dayMs) / offsetMs) : -1;
    const after = Math.max(reached, Math.ceil((window.from - start) / offsetMs) - 1, -1);
    if (after < until) scans.push({ subscription: code, day, start, after, until });
  }
  return scans;
}

/** Epoch milliseconds, with fractions, of a row's evaluation in a scan. */
export function instantOf(start: number, offset: number): number {
  return start + offset * offsetMs;
}

/** The same exactly: whole milliseconds and the rest in units of 100 ns. */
export function exactInstant(start: number, offset: number): { readonly milliseconds: number; readonly ticks: number } {
  const ticks = offset * 8;
  const whole = Math.floor(ticks / 10_000);
  return { milliseconds: start + whole, ticks: ticks - whole * 10_000 };
}

/** Rows of each subscription by the time they are scanned, earliest first; rows that share an instant in reverse. */
export function orderByTime(estate: Estate): Uint32Array {
  const order = new Uint32Array(estate.rows.count);
  for (const { rows } of estate.subscriptions)
    radixSort(order.subarray(rows.first, rows.end), rows.first, estate.rows.offset);
  return order;
}

const digitBits = 11;
const digits = 2 ** digitBits;

/** Fills `into` with the codes [first, first + length), by ascending key; ties by descending code. */
function radixSort(into: Uint32Array, first: number, keys: Uint32Array): void {
  let from = new Uint32Array(into.length);
  for (let index = 0; index < from.length; index += 1) from[index] = first + from.length - 1 - index;
  let to = new Uint32Array(into.length);
  const starts = new Uint32Array(digits + 1);
  for (let shift = 0; shift < 32; shift += digitBits) {
    starts.fill(0);
    for (const code of from) {
      const digit = ((keys[code] ?? 0) >>> shift) & (digits - 1);
      starts[digit + 1] = (starts[digit + 1] ?? 0) + 1;
    }
    for (let digit = 0; digit < digits; digit += 1) starts[digit + 1] = (starts[digit + 1] ?? 0) + (starts[digit] ?? 0);
    for (const code of from) {
      const digit = ((keys[code] ?? 0) >>> shift) & (digits - 1);
      const at = starts[digit] ?? 0;
      to[at] = code;
      starts[digit] = at + 1;
    }
    [from, to] = [to, from];
  }
  into.set(from);
}
