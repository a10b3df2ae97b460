/** A suite as built, in a process of its own, whose recorder can be started, stopped and measured. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "../../emulators/kernel/package-root.ts";

const built = pathToFileURL(join(packageRoot(), "dist", "suite.js")).href;
const { createSuite } = (await import(built)) as typeof import("../../emulators/suite/suite.ts");

export type Order = { readonly start: string } | { readonly stop: true } | { readonly memory: true };

export interface Measured {
  readonly wallMs: number;
  /** Of all threads, which other work on the machine does not lengthen. */
  readonly cpuMs: number;
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
  const before = process.cpuUsage();
  if ("start" in order) await suite.evidence.start({ folder: order.start });
  if ("stop" in order) await suite.evidence.stop();
  const { user, system } = process.cpuUsage(before);
  const measured = {
    wallMs: performance.now() - began,
    cpuMs: (user + system) / 1000,
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
