/** Planned delays: what waits, and what was let go and is not done yet. */
import { afterReal, type Clock } from "./clock.ts";
import type { FaultRule } from "./faults-match.ts";
import type { Timers } from "./timers.ts";

export const delayTimer = "kernel.fault";

/** A request that itself waits for the clock must not keep it from moving. Real time. */
const longestWaitMs = 2_000;

export function createHolds(clock: Clock, timers: Timers) {
  const waiting = new Map<string, (done: (() => void) | undefined) => void>();
  const cancels = new Set<() => void>();
  let working = 0;
  let idlers: (() => void)[] = [];
  const began = (): (() => void) => {
    working += 1;
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      working -= 1;
      if (working > 0) return;
      const rest = idlers;
      idlers = [];
      for (const resolve of rest) resolve();
    };
  };
  return {
    hold({ delayMs, on = "clock" }: FaultRule["action"], subject: string): Promise<(() => void) | undefined> {
      if (!delayMs) return Promise.resolve(began());
      return new Promise((resolve) => {
        if (on === "clock") {
          waiting.set(subject, resolve);
          timers.schedule({ kind: delayTimer, subject, due: clock.now() + delayMs });
          return;
        }
        const cancel = afterReal(delayMs, () => {
          cancels.delete(drop);
          resolve(began());
        });
        const drop = () => {
          cancel();
          resolve(undefined);
        };
        cancels.add(drop);
      });
    },
    due(subject: string) {
      const resolve = waiting.get(subject);
      waiting.delete(subject);
      resolve?.(began());
    },
    async settled() {
      let patient = working > 0;
      const late = new Promise<void>((resolve) => {
        if (!patient) return;
        afterReal(longestWaitMs, () => {
          patient = false;
          resolve();
        });
      });
      while (working > 0 && patient) await Promise.race([late, new Promise<void>((resolve) => idlers.push(resolve))]);
    },
    dropAll() {
      for (const resolve of waiting.values()) resolve(undefined);
      waiting.clear();
      for (const drop of cancels) drop();
      cancels.clear();
    },
  };
}
