/** Lives of spot requests: evaluated, held, fulfilled, interrupted, cancelled, expired. */
import type { Runtime } from "../../kernel/emulator.ts";
import type { Timer } from "../../kernel/timers.ts";
import { nextLook, type Offer, place, type Verdict } from "../domain/placement.ts";
import { regionNamed } from "../domain/regions.ts";
import type { Instance, LaunchPlan, Owner, SpotRequest, SpotState, Tag } from "../domain/resources.ts";
import { priceTooLow, type StatusCode, statusMessages } from "../domain/spot-status.ts";
import type { Trading } from "../markets.ts";
import type { SpotStore } from "../store.ts";
import { delayOf } from "./delays.ts";
import { tellFulfilment } from "./events.ts";
import { foretell, forget } from "./fate.ts";
import { byUser, type Launch, launch, type Step, shutDown, start } from "./instances.ts";

export const spotTimer = "ec2.spot";
export const expiryTimer = "ec2.spot-expiry";

export function tradingOf(runtime: Runtime<SpotStore>, region: string): Trading {
  const found = regionNamed(region);
  if (!found) throw new Error(`no region ${region}`);
  return runtime.state.regions.trading(found, runtime.ids.seed);
}

export interface Wish {
  readonly owner: Owner;
  readonly plan: LaunchPlan;
  readonly mostTicks: number;
  readonly type: SpotRequest["type"];
  readonly behavior: SpotRequest["behavior"];
  readonly validFrom?: number | undefined;
  readonly validUntil?: number | undefined;
  readonly launchGroup?: string | undefined;
  readonly zoneGroup?: string | undefined;
  readonly tags: readonly Tag[];
  readonly fleet?: string | undefined;
  /** Tells apart requests made by one call. */
  readonly place: number;
}

const idAlphabet = "abcdefghijkmnpqrstuvwxyz0123456789";

/** Inside a write. A request that is fulfilled in the call itself is `placed` at once. */
export function request(runtime: Runtime<SpotStore>, wish: Wish, at: number, immediate = false): SpotRequest {
  const { ids, state, timers } = runtime;
  const { owner, plan } = wish;
  const content = [
    owner.account,
    owner.region,
    plan.image,
    plan.type,
    plan.zone,
    wish.mostTicks,
    wish.type,
    wish.place,
  ];
  const made: SpotRequest = {
    id: `sir-${ids.derive("ec2.spot-request", content).text(8, idAlphabet)}`,
    account: owner.account,
    region: owner.region,
    tags: wish.tags,
    type: wish.type,
    behavior: wish.behavior,
    mostTicks: wish.mostTicks,
    state: "open",
    code: "pending-evaluation",
    message: statusMessages["pending-evaluation"],
    updatedAt: at,
    createdAt: at,
    plan,
    launches: 0,
    ...(wish.validFrom === undefined ? {} : { validFrom: wish.validFrom }),
    ...(wish.validUntil === undefined ? {} : { validUntil: wish.validUntil }),
    ...(wish.launchGroup === undefined ? {} : { launchGroup: wish.launchGroup }),
    ...(wish.zoneGroup === undefined ? {} : { zoneGroup: wish.zoneGroup }),
    ...(wish.fleet === undefined ? {} : { fleet: wish.fleet }),
  };
  state.resources.request.put(made);
  runtime.journal.append("change", made.id, { spotRequest: "open", status: "pending-evaluation" });
  if (made.validUntil !== undefined) timers.schedule({ kind: expiryTimer, subject: made.id, due: made.validUntil });
  if (!immediate)
    timers.schedule({ kind: spotTimer, subject: made.id, due: at + delayOf(runtime, "evaluate", made.id) });
  return made;
}

export function setStatus(
  runtime: Runtime<SpotStore>,
  made: SpotRequest,
  status: { readonly state: SpotState; readonly code: StatusCode; readonly message?: string; readonly at: number },
  changes: Partial<SpotRequest> = {},
): SpotRequest {
  const message = status.message ?? (status.code === "price-too-low" ? "" : statusMessages[status.code]);
  const over = status.state === "closed" || status.state === "cancelled" || status.state === "failed";
  const changed: SpotRequest = {
    ...made,
    ...changes,
    state: status.state,
    code: status.code,
    message,
    updatedAt: status.at,
    ...(over && made.endedAt === undefined ? { endedAt: status.at } : {}),
  };
  runtime.state.resources.request.put(changed);
  runtime.journal.append("change", made.id, { spotRequest: status.state, status: status.code });
  return changed;
}

/** A timer of a request fell due: it is evaluated, or looked at again. */
export function spotDue(runtime: Runtime<SpotStore>, timer: Timer): void {
  const made = runtime.state.resources.request.get(timer.subject);
  if (!made) return;
  const at = timer.due;
  if (made.state === "disabled") {
    restart(runtime, made, at);
    return;
  }
  if (made.state !== "open") return;
  if (made.validFrom !== undefined && made.validFrom > at) {
    setStatus(runtime, made, { state: "open", code: "not-scheduled-yet", at });
    runtime.timers.schedule({ kind: spotTimer, subject: made.id, due: made.validFrom });
    return;
  }
  if (made.code === "pending-evaluation" || made.code === "not-scheduled-yet") {
    setStatus(runtime, made, { state: "open", code: "pending-fulfillment", at });
    runtime.timers.schedule({ kind: spotTimer, subject: made.id, due: at + delayOf(runtime, "fulfil", made.id) });
    return;
  }
  const { market } = tradingOf(runtime, made.region);
  const verdict = place(market, made.plan, made.mostTicks, at);
  if (verdict.tag === "placed") fulfil(runtime, made, verdict.offer, at);
  else hold(runtime, made, verdict, at);
}

function hold(
  runtime: Runtime<SpotStore>,
  made: SpotRequest,
  verdict: Exclude<Verdict, { tag: "placed" }>,
  at: number,
): void {
  const { market } = tradingOf(runtime, made.region);
  const code = verdict.tag === "price" ? "price-too-low" : "capacity-not-available";
  const message =
    verdict.tag === "price" ? priceTooLow(made.mostTicks, verdict.least) : statusMessages["capacity-not-available"];
  if (made.code !== code || made.message !== message) setStatus(runtime, made, { state: "open", code, message, at });
  runtime.timers.schedule({
    kind: spotTimer,
    subject: made.id,
    due: nextLook(market, made.plan, made.mostTicks, at),
  });
}

/** Inside a write: the request gets its instance. */
export function fulfil(
  runtime: Runtime<SpotStore>,
  made: SpotRequest,
  offer: Offer,
  at: number,
  launched: Pick<Partial<Launch>, "reservation" | "place" | "clientToken" | "attributes"> = {},
): Instance {
  const region = regionNamed(made.region);
  const zone = region?.zones[offer.zone]?.id;
  if (zone === undefined) throw new Error(`no zone ${offer.zone} in ${made.region}`);
  const owner = { account: made.account, region: made.region };
  const instance = launch(runtime, {
    owner,
    plan: made.plan,
    zone,
    reservation: launched.reservation ?? `r-${runtime.ids.fixed("ec2.reservation", [made.id, made.launches]).hex(17)}`,
    place: launched.place ?? 0,
    at,
    spotRequest: made.id,
    ...(launched.clientToken === undefined ? {} : { clientToken: launched.clientToken }),
    ...(launched.attributes === undefined ? {} : { attributes: launched.attributes }),
  });
  setStatus(
    runtime,
    made,
    { state: "active", code: "fulfilled", at },
    { instance: instance.id, launchedZone: zone, launches: made.launches + 1 },
  );
  tellFulfilment(runtime, instance, made.id, at);
  foretell(runtime, instance, made, at);
  return instance;
}

/** A stopped spot instance comes back when the market allows it. */
function restart(runtime: Runtime<SpotStore>, made: SpotRequest, at: number): void {
  const instance = made.instance === undefined ? undefined : runtime.state.resources.instance.get(made.instance);
  if (!instance || instance.state === "terminated" || instance.state === "shutting-down") return;
  const { market } = tradingOf(runtime, made.region);
  const plan = { ...made.plan, zone: instance.zone };
  const verdict = instance.state === "stopped" ? place(market, plan, made.mostTicks, at) : undefined;
  if (verdict?.tag !== "placed") {
    runtime.timers.schedule({ kind: spotTimer, subject: made.id, due: nextLook(market, plan, made.mostTicks, at) });
    return;
  }
  resume(runtime, made, instance, at);
}

export function resume(runtime: Runtime<SpotStore>, made: SpotRequest, instance: Instance, at: number): Instance {
  const started = start(runtime, instance, at);
  const active = setStatus(runtime, made, { state: "active", code: "fulfilled", at });
  runtime.timers.cancel(spotTimer, made.id);
  foretell(runtime, started, active, at);
  return started;
}

export function expiryDue(runtime: Runtime<SpotStore>, timer: Timer): void {
  const made = runtime.state.resources.request.get(timer.subject);
  if (made?.state !== "open") return;
  runtime.timers.cancel(spotTimer, made.id);
  setStatus(runtime, made, { state: "cancelled", code: "schedule-expired", at: timer.due });
}

/** Inside a write. Does not touch the instance; a closed request stays closed. */
export function cancel(runtime: Runtime<SpotStore>, made: SpotRequest, at: number): SpotRequest {
  if (made.state === "closed" || made.state === "cancelled" || made.state === "failed") return made;
  runtime.timers.cancel(spotTimer, made.id);
  runtime.timers.cancel(expiryTimer, made.id);
  const instance = made.instance === undefined ? undefined : runtime.state.resources.instance.get(made.instance);
  if (made.state === "active")
    return setStatus(runtime, made, { state: "cancelled", code: "request-canceled-and-instance-running", at });
  // The instance of a stopped persistent request goes with it.
  if (made.state === "disabled" && instance?.state === "stopped") {
    shutDown(runtime, instance, at, byUser(at));
    return setStatus(runtime, made, { state: "cancelled", code: "instance-terminated-by-user", at });
  }
  return setStatus(runtime, made, { state: "cancelled", code: "canceled-before-fulfillment", at });
}

/** The user ended or stopped an instance: its request follows. */
export function userEnded(
  runtime: Runtime<SpotStore>,
  instance: Instance,
  how: "terminated" | "stopped",
  at: number,
): void {
  const made =
    instance.spotRequest === undefined ? undefined : runtime.state.resources.request.get(instance.spotRequest);
  forget(runtime, instance.id);
  if (!made || made.instance !== instance.id) return;
  if (how === "stopped") {
    if (made.state === "active") setStatus(runtime, made, { state: "disabled", code: "instance-stopped-by-user", at });
    return;
  }
  if (made.state === "cancelled") {
    setStatus(runtime, made, { state: "cancelled", code: "instance-terminated-by-user", at });
    return;
  }
  if (made.state !== "active" && made.state !== "disabled") return;
  if (made.type === "persistent") reopen(runtime, made, at);
  else setStatus(runtime, made, { state: "closed", code: "instance-terminated-by-user", at });
}

/** A persistent request looks for its next instance. */
export function reopen(runtime: Runtime<SpotStore>, made: SpotRequest, at: number): void {
  const { instance: _ended, launchedZone: _left, ...rest } = made;
  if (made.validUntil !== undefined && made.validUntil <= at) {
    setStatus(runtime, { ...rest }, { state: "cancelled", code: "schedule-expired", at });
    return;
  }
  setStatus(runtime, { ...rest }, { state: "open", code: "pending-evaluation", at });
  runtime.timers.schedule({ kind: spotTimer, subject: made.id, due: at + delayOf(runtime, "evaluate", made.id) });
}

/** An instance took a step by itself; nothing of a request depends on it but an interrupted stop, which then waits. */
export function followed(runtime: Runtime<SpotStore>, { instance, to }: Step, at: number): void {
  if (to !== "stopped" || instance.spotRequest === undefined) return;
  const made = runtime.state.resources.request.get(instance.spotRequest);
  if (made?.state !== "disabled" || made.code === "instance-stopped-by-user") return;
  const { market } = tradingOf(runtime, made.region);
  const plan = { ...made.plan, zone: instance.zone };
  runtime.timers.schedule({ kind: spotTimer, subject: made.id, due: nextLook(market, plan, made.mostTicks, at) });
}
