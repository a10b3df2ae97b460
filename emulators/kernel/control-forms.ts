/** What the control API takes about time and mode, at an emulator and at the suite. */
import * as z from "zod";

export const ClockInput = z.strictObject({
  mode: z.enum(["real", "ticking", "frozen"]),
  /** ISO instant that the clock shows at `anchor`. */
  at: z.iso.datetime({ offset: true }).optional(),
  /** ISO wall instant; several processes given one anchor show one time. */
  anchor: z.iso.datetime({ offset: true }).optional(),
});

export const AdvanceInput = z.union([
  z.strictObject({ to: z.iso.datetime({ offset: true }) }),
  z.strictObject({
    ms: z.number().min(0).optional(),
    seconds: z.number().min(0).optional(),
    minutes: z.number().min(0).optional(),
    hours: z.number().min(0).optional(),
    days: z.number().min(0).optional(),
  }),
]);

/** The instant an advance asks for. */
export function advanceTarget(input: z.output<typeof AdvanceInput>, now: number): number {
  if ("to" in input) return Date.parse(input.to);
  const { ms = 0, seconds = 0, minutes = 0, hours = 0, days = 0 } = input;
  return now + ms + 1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days)));
}

export const TimersQuery = z.strictObject({ limit: z.coerce.number().int().min(1).max(10_000).default(100) });

export const ModeInput = z.strictObject({ mode: z.enum(["mock", "real"]) });
