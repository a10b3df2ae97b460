/** A suite as its users see it: in process, over what was started. */
import type { Certificates } from "../kernel/certificates.ts";
import { isoMilliseconds, parseInstant } from "../kernel/clock.ts";
import type { Settings } from "../kernel/settings.ts";
import type { RunningEmulator } from "../kernel/start.ts";
import type { Recorder } from "./evidence/recorder.ts";
import type { Gateway } from "./gateway/gateway.ts";
import type { Leader } from "./leader.ts";
import { ask, type Member } from "./member.ts";
import { gatewayService, servicesOf } from "./services.ts";
import type { Suite } from "./suite.ts";

export function describeSuite(parts: {
  readonly settings: Settings;
  readonly url: string | undefined;
  readonly leader: Leader;
  readonly members: readonly Member[];
  readonly emulators: readonly RunningEmulator[];
  readonly gateway: Gateway | undefined;
  readonly certificates: () => Certificates;
  readonly evidence: Recorder;
  readonly control: Suite["control"];
  readonly warmUp: () => void;
  readonly close: () => Promise<void>;
}): Suite {
  const { settings, url, leader, members, emulators, gateway, certificates, evidence, control, warmUp, close } = parts;
  const own: Member = { name: "suite", title: "Backlot", addresses: [], request: control };
  return {
    url,
    settings,
    get mode() {
      return leader.mode.current;
    },
    certificates,
    get caPath() {
      return certificates().caPath;
    },
    get env() {
      return Object.assign(
        {},
        ...emulators.map((emulator) => emulator.environment()),
        url === undefined ? {} : { BACKLOT_URL: url },
      );
    },
    services: { ...servicesOf(members), ...gatewayService(gateway), ...(url === undefined ? {} : { suite: { url } }) },
    members,
    emulators,
    gateway,
    clock: {
      now: () => leader.clock.now(),
      async advance(by) {
        const now = leader.clock.now();
        const target = "to" in by ? (typeof by.to === "string" ? parseInstant(by.to) : by.to) : now + milliseconds(by);
        if (target === undefined || Number.isNaN(target))
          throw new RangeError(`${JSON.stringify(by)} names no instant: write it with its zone, 2025-01-15T12:00:00Z`);
        if (!(target >= now))
          throw new RangeError(
            `the clock shows ${isoMilliseconds(now)} and cannot go back to ${"to" in by ? String(by.to) : JSON.stringify(by)}`,
          );
        await ask(own, "POST", "/_backlot/clock/advance", { to: isoMilliseconds(target) });
        return target;
      },
    },
    reset: async () => (await ask<{ digest: string }>(own, "POST", "/_backlot/reset")).digest,
    digest: async () => (await ask<{ digest: string }>(own, "GET", "/_backlot/digest")).digest,
    evidence,
    control,
    warmUp,
    close,
  };
}

function milliseconds({
  ms = 0,
  seconds = 0,
  minutes = 0,
  hours = 0,
  days = 0,
}: {
  ms?: number;
  seconds?: number;
  minutes?: number;
  hours?: number;
  days?: number;
}): number {
  return ms + 1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days)));
}
