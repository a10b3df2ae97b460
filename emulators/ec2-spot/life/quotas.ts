/** How much more an account may have in a region. */
import type { Runtime } from "../../kernel/emulator.ts";
import type { InstanceState, Owner } from "../domain/resources.ts";
import type { SpotStore } from "../store.ts";

/** Spot requests that an account may have open or active in a region. */
const mostSpotRequests = 1000;

const running: ReadonlySet<InstanceState> = new Set(["pending", "running"]);

export interface Room {
  readonly instances: number;
  readonly vcpus: number;
}

function vcpusOf(runtime: Runtime<SpotStore>, types: readonly string[]): number {
  const { catalogue } = runtime.state.regions;
  return types.reduce((sum, type) => sum + (catalogue.named(type)?.vcpu ?? 0), 0);
}

/** What runs counts, and what open requests may come to. */
export function spotRoom(runtime: Runtime<SpotStore>, owner: Owner): Room {
  const { resources } = runtime.state;
  const limit = runtime.state.account(owner.account)?.quotas.spotVcpus;
  const requests = resources.request.list(owner).filter(({ state }) => state === "open" || state === "active");
  const instances = mostSpotRequests - requests.length;
  if (limit === undefined) return { instances, vcpus: Number.POSITIVE_INFINITY };
  const open = requests.filter(({ state }) => state === "open").map(({ plan }) => plan.type);
  const used = resources.instance
    .list(owner)
    .filter(({ spotRequest, state }) => spotRequest !== undefined && running.has(state))
    .map(({ plan }) => plan.type);
  return { instances, vcpus: limit - vcpusOf(runtime, [...open, ...used]) };
}

export function onDemandRoom(runtime: Runtime<SpotStore>, owner: Owner): Room {
  const limit = runtime.state.account(owner.account)?.quotas.onDemandVcpus;
  if (limit === undefined) return { instances: Number.POSITIVE_INFINITY, vcpus: Number.POSITIVE_INFINITY };
  const used = runtime.state.resources.instance
    .list(owner)
    .filter(({ spotRequest, state }) => spotRequest === undefined && running.has(state))
    .map(({ plan }) => plan.type);
  return { instances: Number.POSITIVE_INFINITY, vcpus: limit - vcpusOf(runtime, used) };
}

export function hasRoomFor(runtime: Runtime<SpotStore>, room: Room, type: string, count: number): boolean {
  return count <= room.instances && vcpusOf(runtime, [type]) * count <= room.vcpus;
}

/** Whether instances of these types may run besides those that do. */
export function fitsOnDemand(runtime: Runtime<SpotStore>, owner: Owner, types: readonly string[]): boolean {
  return vcpusOf(runtime, types) <= onDemandRoom(runtime, owner).vcpus;
}

/** EC2's text; `limit` is the quota in vCPUs. */
export function vcpuLimitText(limit: number): string {
  return `You have requested more vCPU capacity than your current vCPU limit of ${limit} allows for the instance bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.`;
}
