/** How long each phase of a life lasts. A function of what it is about, so that a replay takes as long. */
import type { Runtime } from "../../kernel/emulator.ts";
import type { SpotStore } from "../store.ts";

/** Shortest and longest, milliseconds at pace 1; real orders of magnitude. */
const phases = {
  evaluate: [1_000, 1_000],
  fulfil: [2_000, 2_000],
  pending: [8_000, 20_000],
  checks: [100_000, 180_000],
  stop: [20_000, 40_000],
  shutDown: [25_000, 45_000],
  copy: [60_000, 60_000],
} as const;
export type Phase = keyof typeof phases;

export function delayOf(runtime: Runtime<SpotStore>, phase: Phase, id: string): number {
  const [least, most] = phases[phase];
  const part = least === most ? 0 : runtime.ids.fixed("ec2.delay", [phase, id]).unit();
  return runtime.clock.paced(least + part * (most - least));
}

/** An image takes a minute and six seconds for every GiB. */
export function imageDelay(runtime: Runtime<SpotStore>, gib: number): number {
  return runtime.clock.paced(60_000 + 6_000 * gib);
}

/** How long what has ended stays visible; not paced, since clients look at the clock of their records. */
export const terminatedVisibleMs = 3_600_000;
export const requestVisibleMs = 4 * 3_600_000;
export const noticeMs = 120_000;
