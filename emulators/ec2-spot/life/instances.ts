/** Lives of instances: launched, running, stopped, started, terminated. Every step is a timer on the virtual clock. */

import { isoSeconds } from "../../kernel/clock.ts";
import type { Runtime } from "../../kernel/emulator.ts";
import type { Timer } from "../../kernel/timers.ts";
import { addressIn, type Network } from "../domain/network.ts";
import { regionNamed } from "../domain/regions.ts";
import {
  type Instance,
  type InstanceAttributes,
  type InstanceState,
  type LaunchPlan,
  nextStates,
  type Owner,
  usualAttributes,
  type Volume,
} from "../domain/resources.ts";
import { networkOf } from "../network.ts";
import type { SpotStore } from "../store.ts";
import { delayOf, terminatedVisibleMs } from "./delays.ts";
import { tellState } from "./events.ts";

export const instanceTimer = "ec2.instance";

export interface Launch {
  readonly owner: Owner;
  readonly plan: LaunchPlan;
  readonly zone: string;
  readonly reservation: string;
  readonly place: number;
  readonly at: number;
  readonly spotRequest?: string;
  readonly clientToken?: string;
  readonly attributes?: InstanceAttributes;
}

/** Inside a write. */
export function launch(runtime: Runtime<SpotStore>, wanted: Launch): Instance {
  const { ids, state, timers } = runtime;
  const { owner, plan, at } = wanted;
  const region = regionNamed(owner.region);
  if (!region) throw new Error(`no region ${owner.region}`);
  const network = networkOf(ids, owner, region);
  const subnet = network.subnets.find(({ zone }) => zone === wanted.zone) ?? network.subnets[0];
  if (!subnet) throw new Error(`no subnet in ${wanted.zone}`);
  const derived = ids.derive("ec2.instance", [
    owner.account,
    owner.region,
    plan.image,
    plan.type,
    wanted.zone,
    wanted.place,
  ]);
  const id = `i-${derived.hex(17)}`;
  const bytes = ids.fixed("ec2.interface", [id]).bytes();
  const volumes = plan.devices.map((device) => makeVolume(runtime, { owner, plan, zone: wanted.zone, at }, id, device));
  const instance: Instance = {
    id,
    account: owner.account,
    region: owner.region,
    tags: plan.instanceTags,
    reservation: wanted.reservation,
    place: wanted.place,
    plan,
    attributes: wanted.attributes ?? usualAttributes,
    zone: subnet.zone,
    subnet: subnet.id,
    vpc: network.vpc,
    privateIp: takeAddress(runtime, subnet, plan.privateIp, bytes.readUInt16BE(0)),
    ...(plan.publicIp ? { publicIp: publicAddress(bytes) } : {}),
    mac: `02:${[...bytes.subarray(4, 9)].map((byte) => byte.toString(16).padStart(2, "0")).join(":")}`,
    interface: `eni-${bytes.toString("hex").slice(0, 17)}`,
    attachment: `eni-attach-${bytes.toString("hex").slice(17, 34)}`,
    volumes,
    state: "pending",
    launchedAt: at,
    ...(wanted.spotRequest === undefined ? {} : { spotRequest: wanted.spotRequest }),
    ...(wanted.clientToken === undefined ? {} : { clientToken: wanted.clientToken }),
  };
  state.resources.instance.put(instance);
  timers.schedule({
    kind: instanceTimer,
    subject: id,
    due: at + delayOf(runtime, "pending", id),
    data: { to: "running" },
  });
  told(runtime, instance, "pending", at);
  runtime.store.afterCommit(() =>
    state.metadataPorts.give(id, (other) => state.resources.instance.get(other) !== undefined),
  );
  return instance;
}

function makeVolume(
  runtime: Runtime<SpotStore>,
  { owner, plan, zone, at }: { owner: Owner; plan: LaunchPlan; zone: string; at: number },
  instance: string,
  device: LaunchPlan["devices"][number],
): Instance["volumes"][number] {
  const id = `vol-${runtime.ids.derive("ec2.volume", [instance, device.name]).hex(17)}`;
  const volume: Volume = {
    id,
    account: owner.account,
    region: owner.region,
    tags: plan.volumeTags,
    gib: device.gib,
    type: device.type,
    zone,
    snapshot: device.snapshot ?? "",
    createdAt: at,
    encrypted: device.encrypted,
    attachment: { instance, device: device.name, deleteOnTermination: device.deleteOnTermination, at },
  };
  runtime.state.resources.volume.put(volume);
  return { device: device.name, volume: id, deleteOnTermination: device.deleteOnTermination };
}

function takeAddress(
  runtime: Runtime<SpotStore>,
  subnet: Network["subnets"][number],
  asked: string | undefined,
  first: number,
): string {
  const { resources } = runtime.state;
  if (asked !== undefined && resources.takeAddress(subnet.id, asked)) return asked;
  for (let n = first; n < first + 4091; n += 1) {
    const address = addressIn(subnet, n);
    if (resources.takeAddress(subnet.id, address)) return address;
  }
  throw new Error(`${subnet.id} has no free address`);
}

/** From the block that documentation may use, so that it never leads anywhere. */
function publicAddress(bytes: Buffer): string {
  return bytes[9] !== undefined && bytes[9] % 2 === 0
    ? `203.0.113.${1 + ((bytes[10] ?? 0) % 254)}`
    : `198.51.100.${1 + ((bytes[10] ?? 0) % 254)}`;
}

function told(runtime: Runtime<SpotStore>, instance: Instance, state: InstanceState, at: number): void {
  runtime.journal.append("change", instance.id, { instance: state });
  tellState(runtime, instance, state, at);
}

/** Moves an instance to a state that follows its present one. */
export function moveTo(
  runtime: Runtime<SpotStore>,
  instance: Instance,
  to: InstanceState,
  at: number,
  changes: Partial<Instance> = {},
): Instance {
  if (!nextStates[instance.state].includes(to)) throw new Error(`instance cannot go from ${instance.state} to ${to}`);
  const moved: Instance = { ...instance, ...changes, state: to };
  runtime.state.resources.instance.put(moved);
  told(runtime, moved, to, at);
  return moved;
}

export interface Reason {
  readonly code: string;
  readonly message: string;
  readonly text: string;
}

export function byUser(at: number): Reason {
  const stamp = isoSeconds(at).replace("T", " ").replace("Z", " GMT");
  return {
    code: "Client.UserInitiatedShutdown",
    message: "Client.UserInitiatedShutdown: User initiated shutdown",
    text: `User initiated (${stamp})`,
  };
}

export function shutDown(runtime: Runtime<SpotStore>, instance: Instance, at: number, reason: Reason): Instance {
  if (instance.state === "terminated" || instance.state === "shutting-down") return instance;
  const ending = moveTo(runtime, instance, "shutting-down", at, { reason });
  runtime.timers.schedule({
    kind: instanceTimer,
    subject: instance.id,
    due: at + delayOf(runtime, "shutDown", instance.id),
    data: { to: "terminated" },
  });
  return ending;
}

export function stop(runtime: Runtime<SpotStore>, instance: Instance, at: number, reason: Reason): Instance {
  if (instance.state === "stopped" || instance.state === "stopping") return instance;
  const stopping = moveTo(runtime, instance, "stopping", at, { reason });
  runtime.timers.schedule({
    kind: instanceTimer,
    subject: instance.id,
    due: at + delayOf(runtime, "stop", instance.id),
    data: { to: "stopped" },
  });
  return stopping;
}

export function start(runtime: Runtime<SpotStore>, instance: Instance, at: number): Instance {
  if (instance.state !== "stopped") return instance;
  const { reason: _gone, interruption: _over, rebalanceAt: _old, ...rest } = instance;
  const starting = moveTo(runtime, { ...rest }, "pending", at, { launchedAt: at });
  runtime.timers.schedule({
    kind: instanceTimer,
    subject: instance.id,
    due: at + delayOf(runtime, "pending", instance.id),
    data: { to: "running" },
  });
  return starting;
}

/** The checks begin again; what runs stays running. */
export function reboot(runtime: Runtime<SpotStore>, instance: Instance, at: number): void {
  runtime.state.resources.instance.put({ ...instance, checkedAt: at + delayOf(runtime, "checks", instance.id) });
  runtime.journal.append("change", instance.id, { instance: "rebooting" });
}

export interface Step {
  readonly instance: Instance;
  readonly to: InstanceState | "gone";
}

/** A timer of an instance fell due. Answers what changed, for the spot request behind it. */
export function instanceDue(runtime: Runtime<SpotStore>, timer: Timer): Step | undefined {
  const { resources } = runtime.state;
  const instance = resources.instance.get(timer.subject);
  const { to } = (timer.data ?? {}) as { to?: InstanceState | "gone" };
  if (!instance || !to) return undefined;
  if (to === "gone") {
    resources.instance.remove(instance.id);
    return { instance, to };
  }
  if (!nextStates[instance.state].includes(to)) return undefined;
  const at = timer.due;
  if (to === "running")
    return {
      instance: moveTo(runtime, instance, to, at, { checkedAt: at + delayOf(runtime, "checks", instance.id) }),
      to,
    };
  if (to === "terminated") return { instance: terminated(runtime, instance, at), to };
  return { instance: moveTo(runtime, instance, to, at), to };
}

function terminated(runtime: Runtime<SpotStore>, instance: Instance, at: number): Instance {
  const { resources, metadataPorts } = runtime.state;
  for (const { volume: id, deleteOnTermination } of instance.volumes) {
    const volume = resources.volume.get(id);
    if (!volume) continue;
    if (deleteOnTermination) resources.volume.remove(id);
    else {
      const { attachment: _gone, ...rest } = volume;
      resources.volume.put(rest);
    }
  }
  resources.freeAddress(instance.subnet, instance.privateIp);
  runtime.store.afterCommit(() => metadataPorts.release(instance.id));
  runtime.timers.schedule({
    kind: instanceTimer,
    subject: instance.id,
    due: at + terminatedVisibleMs,
    data: { to: "gone" },
  });
  return moveTo(runtime, instance, "terminated", at, { endedAt: at });
}
