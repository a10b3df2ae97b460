/** One clock for several emulators: they step together from due instant to due instant. */
import type { Instant } from "../kernel/clock.ts";
import { ask, askAll, type Member } from "./member.ts";

export interface ClockView {
  readonly mode: string;
  readonly now: string;
  readonly epochMs: Instant;
  readonly aheadMs: number;
  readonly nextDue: string | null;
  readonly timers: number;
  readonly fired?: number;
}

/**
 * Asks every member for its next due instant and moves all of them, in name order, to the earliest, until `target`. An
 * emulator that calls the application in between finds the others at the same instant.
 */
export async function advanceTogether(
  members: readonly Member[],
  target: Instant,
): Promise<{ fired: number; clocks: Record<string, ClockView> }> {
  const ordered = [...members].sort((left, right) => (left.name < right.name ? -1 : 1));
  let fired = 0;
  for (;;) {
    const clocks = await askAll<ClockView>(ordered, "GET", "/_backlot/clock");
    const dues = clocks.flatMap(([, clock]) => (clock.nextDue === null ? [] : [Date.parse(clock.nextDue)]));
    const latest = Math.max(...clocks.map(([, clock]) => clock.epochMs));
    const next = Math.min(target, ...dues.map((due) => Math.max(due, latest)));
    const reached: Record<string, ClockView> = {};
    for (const member of ordered) {
      const clock = await ask<ClockView>(member, "POST", "/_backlot/clock/advance", {
        to: new Date(Math.max(next, latest)).toISOString(),
      });
      fired += clock.fired ?? 0;
      reached[member.name] = clock;
    }
    const left = Object.values(reached).some((clock) => clock.nextDue !== null && Date.parse(clock.nextDue) <= target);
    if (next >= target && !left) return { fired, clocks: reached };
  }
}
