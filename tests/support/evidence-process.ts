/** A suite as a process of its own whose recorder can be started, stopped and measured; `forkEvidence` starts it. */
import { readFileSync, writeFileSync } from "node:fs";
import { createSuite } from "../../emulators/suite/suite.ts";

export type Order = { readonly start: string } | { readonly stop: true } | { readonly memory: true };

export interface Measured {
  readonly wallMs: number;
  /** Resident megabytes: now, and the most since it was asked for last. */
  readonly resident: number;
  readonly peak: number;
}

const suite = await createSuite({ only: ["twilio", "smtp"], environment: { BACKLOT_LOG_LEVEL: "silent" } });
const { services, env } = suite;
const megabytes = (line: string) =>
  Number(new RegExp(`^${line}:\\s+(\\d+) kB$`, "m").exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;

async function obey(order: Order): Promise<Measured> {
  if ("memory" in order) globalThis.gc?.();
  const began = performance.now();
  if ("start" in order) await suite.evidence.start({ folder: order.start });
  if ("stop" in order) await suite.evidence.stop();
  const measured = {
    wallMs: performance.now() - began,
    resident: megabytes("VmRSS"),
    peak: megabytes("VmHWM"),
  };
  writeFileSync("/proc/self/clear_refs", "5"); // proc(5): begins the peak anew
  return measured;
}

process.on("message", (order: Order) => {
  obey(order).then(
    (measured) => process.send?.(measured),
    (cause: unknown) => process.send?.({ problem: String(cause) }),
  );
});
process.on("disconnect", () => process.exit());
process.send?.({
  twilio: services.twilio?.url,
  smtp: services.smtp?.port,
  sid: env.TWILIO_ACCOUNT_SID,
  token: env.TWILIO_AUTH_TOKEN,
  from: env.TWILIO_PHONE_NUMBER,
});
