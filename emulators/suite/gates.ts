/** What stands before the suite's own control routes: ETags and idempotent replays, as on every emulator. */
import type { Clock } from "../kernel/clock.ts";
import type { Gate } from "../kernel/gate.ts";
import { createEtagGate } from "../kernel/http/etag.ts";
import { controlMethods, createIdempotencyGate, memoryReplays } from "../kernel/idempotency.ts";
import type { Settings } from "../kernel/settings.ts";

export function createSuiteGates(settings: Settings, clock: Clock): readonly Gate[] {
  const replays = memoryReplays();
  const forgetting: Gate = {
    around(exchange, _routed, run) {
      if (exchange.method === "POST" && exchange.target === "/_backlot/reset") replays.clear();
      return run();
    },
  };
  return [
    createEtagGate(settings.cacheResponses),
    createIdempotencyGate({ keeper: replays, clock, methods: controlMethods }),
    forgetting,
  ];
}
