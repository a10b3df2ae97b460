/** What the suite itself holds as truth for all members: the clock and the mode. A member that appears is brought to it. */
import { type Clock, type ClockSetting, createClock, type Instant, isoMilliseconds } from "../kernel/clock.ts";
import { startingClock } from "../kernel/lifecycle.ts";
import { createMode, type Mode } from "../kernel/mode.ts";
import type { Settings } from "../kernel/settings.ts";
import { ask, type Member } from "./member.ts";

export interface Leader {
  readonly clock: Clock;
  readonly mode: Mode;
  /** Back to the clock of the start. */
  restart(): void;
  /** Sets a member's clock and mode; for one that was just started or attached. */
  lead(member: Member): Promise<void>;
}

export function createLeader(settings: Settings, wallAnchor: Instant): Leader {
  const initial: ClockSetting = startingClock(settings, wallAnchor);
  const clock = createClock(initial, settings.pace);
  const mode = createMode(settings);
  return {
    clock,
    mode,
    // A ticking clock starts at its instant again, now.
    restart: () => clock.set(initial.mode === "real" ? initial : { mode: initial.mode, at: initial.at ?? wallAnchor }),
    async lead(member) {
      if (clock.mode !== "real") {
        const anchor = clock.wall();
        await ask(member, "POST", "/_backlot/clock", {
          mode: clock.mode,
          at: isoMilliseconds(clock.now()),
          anchor: isoMilliseconds(anchor),
        });
      }
      if (mode.current === "real") await ask(member, "PUT", "/_backlot/mode", { mode: "real" });
    },
  };
}
