/** Real mode on the control API: what would show or change emulated things is refused; the rest stays up. */
import type { Hono } from "hono";
import type { KernelEnv } from "./emulator.ts";
import type { Mode } from "./mode.ts";
import { ControlError } from "./plain-errors.ts";

/** @param what as in: In real mode there is no ... */
export function refusedInRealMode(control: Hono<KernelEnv>, base: string, mode: Mode, what: string): void {
  for (const path of [base, `${base}/*`])
    control.use(path, async (_, next) => {
      if (mode.current === "real")
        throw new ControlError(503, "real_mode", `In real mode there is no ${what}; PUT /_backlot/mode lowers it.`);
      await next();
    });
}
