/**
 * An interruption is one story: perhaps a rebalance recommendation, then a notice with a time that stays, told by the
 * metadata service, an event and the request's status alike; at that time the instance is taken away.
 */
import type { Runtime } from "../../kernel/emulator.ts";
import type { Timer } from "../../kernel/timers.ts";
import type {
  Instance,
  Interruption,
  InterruptionAction,
  InterruptionCause,
  SpotRequest,
} from "../domain/resources.ts";
import type { StatusCode } from "../domain/spot-status.ts";
import type { SpotStore } from "../store.ts";
import { noticeMs } from "./delays.ts";
import { tellRebalance, tellWarning } from "./events.ts";
import { type Fate, foretell, forget } from "./fate.ts";
import { fleetWarned } from "./fleets.ts";
import { type Reason, shutDown, stop } from "./instances.ts";
import { reopen, setStatus, spotTimer } from "./spot.ts";

export const noticeTimer = "ec2.notice";
export const deadlineTimer = "ec2.deadline";

/** Inside a write. */
export function recommend(runtime: Runtime<SpotStore>, instance: Instance, at: number): Instance {
  if (instance.rebalanceAt !== undefined) return instance;
  const told: Instance = { ...instance, rebalanceAt: at };
  runtime.state.resources.instance.put(told);
  runtime.journal.append("change", instance.id, { rebalance: "recommended" });
  tellRebalance(runtime, told, at);
  fleetWarned(runtime, told, at);
  return told;
}

export interface Order {
  readonly cause: InterruptionCause;
  /** When the instance goes. */
  readonly deadline: number;
  readonly by: string;
  /** What happens to it; by default what its request asked for. */
  readonly action?: InterruptionAction;
}

/** Inside a write: the notice goes out at `at`, fixed from then on. A second order does not move the first. */
export function notify(runtime: Runtime<SpotStore>, instance: Instance, order: Order, at: number): Instance {
  const { state, timers } = runtime;
  const made = requestOf(runtime, instance);
  if (!made || instance.interruption || (instance.state !== "running" && instance.state !== "pending")) return instance;
  const action = order.action ?? made.behavior;
  const interruption: Interruption = {
    action,
    cause: order.cause,
    // Hibernation begins with the notice.
    at: action === "hibernate" ? at : Math.max(at, order.deadline),
    noticeAt: at,
    by: order.by,
  };
  const marked: Instance = { ...instance, interruption };
  state.resources.instance.put(marked);
  forget(runtime, instance.id);
  runtime.journal.append("change", instance.id, { interruption: action, at: interruption.at, by: order.by });
  if (made.state === "active" || made.state === "cancelled")
    setStatus(runtime, made, {
      state: made.state,
      code: action === "terminate" ? "marked-for-termination" : "marked-for-stop",
      at,
    });
  tellWarning(runtime, marked, action, at);
  if (interruption.at > at) timers.schedule({ kind: deadlineTimer, subject: instance.id, due: interruption.at });
  else takeAway(runtime, marked, interruption, at);
  return marked;
}

/** Inside a write: the notice goes out later. */
export function orderLater(runtime: Runtime<SpotStore>, instance: string, order: Order, noticeAt: number): void {
  runtime.timers.schedule({ kind: noticeTimer, subject: instance, due: noticeAt, data: order });
}

export function noticeDue(runtime: Runtime<SpotStore>, timer: Timer): void {
  const instance = runtime.state.resources.instance.get(timer.subject);
  if (instance) notify(runtime, instance, timer.data as Order, timer.due);
}

/** The market's own interruption, with a recommendation in the same tick; or only the next look ahead. */
export function fateDue(runtime: Runtime<SpotStore>, timer: Timer): void {
  const instance = runtime.state.resources.instance.get(timer.subject);
  const made = instance && requestOf(runtime, instance);
  if (!instance || !made) return;
  const fate = timer.data as Fate;
  if (fate.cause === undefined) {
    foretell(runtime, instance, made, timer.due, fate.spent);
    return;
  }
  const told = recommend(runtime, instance, timer.due);
  notify(runtime, told, { cause: fate.cause, deadline: timer.due + noticeMs, by: "market" }, timer.due);
}

export function deadlineDue(runtime: Runtime<SpotStore>, timer: Timer): void {
  const instance = runtime.state.resources.instance.get(timer.subject);
  if (instance?.interruption) takeAway(runtime, instance, instance.interruption, timer.due);
}

function takeAway(runtime: Runtime<SpotStore>, instance: Instance, interruption: Interruption, at: number): void {
  if (instance.state !== "running" && instance.state !== "pending") return;
  const made = requestOf(runtime, instance);
  const ends = interruption.action === "terminate";
  const reason = ends ? termination : stopping;
  if (ends) shutDown(runtime, instance, at, reason);
  else stop(runtime, instance, at, reason);
  if (!made) return;
  const code = endCode(ends, interruption.cause);
  if (ends && made.type === "persistent" && made.state === "active") {
    setStatus(runtime, made, { state: "open", code, at });
    reopen(runtime, made, at);
    return;
  }
  if (made.state === "cancelled") setStatus(runtime, made, { state: "cancelled", code, at });
  else if (ends) setStatus(runtime, made, { state: "closed", code, at });
  else setStatus(runtime, made, { state: "disabled", code, at });
  runtime.timers.cancel(spotTimer, made.id);
}

function endCode(ends: boolean, cause: InterruptionCause): StatusCode {
  if (ends) return cause === "price" ? "instance-terminated-by-price" : "instance-terminated-no-capacity";
  return cause === "price" ? "instance-stopped-by-price" : "instance-stopped-no-capacity";
}

const termination: Reason = {
  code: "Server.SpotInstanceTermination",
  message: "Server.SpotInstanceTermination: Spot instance termination",
  text: "Service initiated",
};
const stopping: Reason = {
  code: "Server.SpotInstanceShutdown",
  message: "Server.SpotInstanceShutdown: Spot instance stopped",
  text: "Service initiated",
};

function requestOf(runtime: Runtime<SpotStore>, instance: Instance): SpotRequest | undefined {
  return instance.spotRequest === undefined ? undefined : runtime.state.resources.request.get(instance.spotRequest);
}
