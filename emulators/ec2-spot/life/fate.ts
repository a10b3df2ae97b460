/**
 * When the market will take a spot instance away: foretold at launch, since capacity and price are functions of time. A
 * timer falls due at the notice; luck of the instance decides within the frequency that the Spot Advisor tells.
 */
import type { Runtime } from "../../kernel/emulator.ts";
import { interruptedAt } from "../domain/capacity.ts";
import { regionNamed } from "../domain/regions.ts";
import type { Instance, InterruptionCause, SpotRequest } from "../domain/resources.ts";
import type { SpotStore } from "../store.ts";
import { noticeMs } from "./delays.ts";

export const fateTimer = "ec2.fate";

const lookMs = 30 * 86_400_000;

export interface Fate {
  /** Undefined: only look further. */
  readonly cause?: InterruptionCause;
  readonly deadline: number;
  /** Hazard lived through so far. */
  readonly spent: number;
}

/** Schedules the notice of the first interruption within thirty days, or the next look. */
export function foretell(
  runtime: Runtime<SpotStore>,
  instance: Instance,
  made: SpotRequest,
  at: number,
  spent = 0,
): void {
  if (runtime.state.settings().interruptions === "none") return;
  const region = regionNamed(instance.region);
  if (!region) return;
  const { market } = runtime.state.regions.trading(region, runtime.ids.seed);
  const { type, product } = instance.plan;
  const zone = region.zones.findIndex(({ id }) => id === instance.zone);
  const to = at + lookMs;
  const luck = runtime.ids.fixed("ec2.fate", [instance.id]).unit();
  const taken = interruptedAt(market.seed, market.poolName(type, zone, product), {
    from: at + noticeMs,
    to,
    luck,
    spent,
  });
  const above = market.firstAbove({ type, zone, product }, made.mostTicks, {
    from: Math.floor((at + noticeMs) / 1000),
    to: Math.floor(to / 1000),
  });
  const capacityAt = taken.at ?? Number.POSITIVE_INFINITY;
  const priceAt = above === undefined ? Number.POSITIVE_INFINITY : above * 1000;
  const deadline = Math.min(capacityAt, priceAt, to);
  const fate: Fate =
    deadline === to
      ? { deadline, spent: taken.spent }
      : { cause: priceAt < capacityAt ? "price" : "capacity", deadline, spent: taken.spent };
  runtime.timers.schedule({
    kind: fateTimer,
    subject: instance.id,
    due: fate.cause === undefined ? deadline : deadline - noticeMs,
    data: fate,
  });
}

export function forget(runtime: Runtime<SpotStore>, instance: string): void {
  runtime.timers.cancel(fateTimer, instance);
}
