/**
 * When rows are evaluated. Each subscription is scanned once a day, from its own time of day; a row's offset says how far
 * into the scan it comes. So at any instant every row has exactly one evaluation in the 24 hours before, as in Azure.
 */

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
  subscription: { readonly scanAt: number },
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
