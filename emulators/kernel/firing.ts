/** What happens when virtual time has come: due timers fire in order, and an advance goes from one to the next. */
import type { Instant } from "./clock.ts";
import type { Engine } from "./engine.ts";
import { delayTimer } from "./fault-holds.ts";
import { retryTimer } from "./outbox.ts";

const mostAtOnce = 256;

export interface Firing {
  /** Fires what is due now; answers how many. */
  fire(): number;
  /** Moves virtual time, fires everything due in order, and answers how many when it has settled. */
  advance(to: Instant): Promise<number>;
}

export function createFiring<State, Seed>(engine: Engine<State, Seed>): Firing {
  const { emulator, runtime, timers, outbox, faults, tracer } = engine;
  const { store, journal, log, clock, mode } = runtime;
  const fire = () => {
    let fired = 0;
    while (mode.current === "mock") {
      const due = timers.takeDue(clock.now(), mostAtOnce);
      if (due.length === 0) break;
      for (const timer of due) {
        const work = () => {
          if (timer.kind === retryTimer) outbox.due(timer.subject);
          else if (timer.kind === delayTimer) faults.due(timer.subject);
          else emulator.timers?.[timer.kind]?.(runtime, timer);
        };
        // Each timer is a change of its own: one that fails leaves the others alone and becomes an incident.
        try {
          outbox.unbounded(() => tracer.run(timer.trace, () => store.write(work)));
          fired += 1;
        } catch (cause) {
          const { kind, subject } = timer;
          journal.append("incident", subject, { timer: kind, cause: String(cause) });
          const told = cause instanceof Error ? cause.stack : String(cause);
          log.error({ timer: kind, subject, cause: told }, "a timer failed");
        }
      }
    }
    return fired;
  };
  return {
    fire,
    async advance(to) {
      let fired = 0;
      for (;;) {
        fired += fire();
        await faults.settled();
        await outbox.idle();
        const next = timers.nextDue();
        if (mode.current === "real" || next === undefined || next > to) break;
        clock.moveTo(next);
      }
      clock.moveTo(to);
      return fired;
    },
  };
}
