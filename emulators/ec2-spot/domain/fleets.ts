/** EC2 fleets and spot fleets. Times are epoch milliseconds, prices ticks of 0.0001 dollar an hour. */
import type { InstanceRequirements } from "./instance-requirements.ts";
import type { InterruptionAction, LaunchPlan, Resource } from "./resources.ts";

/** What the request said of a pool over its launch template, as it was said. */
export interface FleetOverride {
  readonly type?: string | undefined;
  readonly maxPrice?: string | undefined;
  readonly subnet?: string | undefined;
  readonly zoneName?: string | undefined;
  readonly zoneId?: string | undefined;
  readonly weight?: number | undefined;
  readonly priority?: number | undefined;
  readonly image?: string | undefined;
  /** Wire members of InstanceRequirements. */
  readonly requirements?: readonly (readonly [name: string, value: string])[] | undefined;
}

export interface FleetPool {
  readonly plan: LaunchPlan;
  /** Any of these types may be launched, within these limits; absent: the plan's type only. */
  readonly choice?: { readonly types: readonly string[]; readonly limits: InstanceRequirements["limits"] } | undefined;
  readonly template?: { readonly id: string; readonly name: string; readonly version: number } | undefined;
  /** Which launch template configuration it came from; absent for a launch specification. */
  readonly configuration?: number | undefined;
  readonly override?: FleetOverride | undefined;
  readonly weight: number;
  readonly mostTicks?: number | undefined;
  /** Lower comes first; without one a pool comes last. */
  readonly priority?: number | undefined;
}

export type SpotStrategy =
  | "lowest-price"
  | "diversified"
  | "capacity-optimized"
  | "capacity-optimized-prioritized"
  | "price-capacity-optimized";
export type OnDemandStrategy = "lowest-price" | "prioritized";

/** Bounds on what one market may launch. */
export interface MarketBounds {
  readonly singleType: boolean;
  readonly singleZone: boolean;
  /** Nothing is launched when less than this can be. */
  readonly minTarget?: number | undefined;
  /** Most that all instances of this market may cost together. */
  readonly maxTotalTicks?: number | undefined;
}

export interface SpotTerms extends MarketBounds {
  readonly strategy: SpotStrategy;
  readonly behavior: InterruptionAction;
  /** Pools that lowest-price spreads over. */
  readonly poolsToUse?: number | undefined;
  /** Replace an instance once it was recommended to rebalance; with a delay (ms) the old one is then terminated. */
  readonly rebalance?: { readonly terminateAfter?: number | undefined } | undefined;
}

export interface OnDemandTerms extends MarketBounds {
  readonly strategy: OnDemandStrategy;
}

export interface FleetInstance {
  readonly id: string;
  readonly spotRequest?: string | undefined;
  readonly weight: number;
  readonly type: string;
  /** Place of its pool in the fleet. */
  readonly pool: number;
}

export type FleetState =
  | "submitted"
  | "active"
  | "deleted_running"
  | "deleted_terminating"
  | "deleted"
  | "cancelled_running"
  | "cancelled_terminating"
  | "cancelled";

export type CapacityUnit = "units" | "vcpu" | "memory-mib";

export interface Fleet extends Resource {
  /** `fleet` of CreateFleet, `spot-fleet` of RequestSpotFleet. */
  readonly kind: "fleet" | "spot-fleet";
  readonly type: "instant" | "request" | "maintain";
  readonly state: FleetState;
  readonly createdAt: number;
  readonly target: number;
  /** Part of the target that is to be on demand. */
  readonly onDemand: number;
  readonly usualMarket: "spot" | "on-demand";
  readonly unit?: CapacityUnit | undefined;
  readonly spotTerms: SpotTerms;
  readonly onDemandTerms: OnDemandTerms;
  readonly terminateExcess: boolean;
  readonly replaceUnhealthy: boolean;
  readonly validFrom?: number | undefined;
  readonly validUntil?: number | undefined;
  readonly pools: readonly FleetPool[];
  /** Those that have not ended yet. */
  readonly instances: readonly FleetInstance[];
  readonly errors: readonly {
    readonly pool: number;
    readonly code: string;
    readonly message: string;
    readonly lifecycle: string;
  }[];
  readonly terminateWithFleet: boolean;
  readonly role?: string | undefined;
  readonly clientToken?: string | undefined;
  readonly history: readonly FleetEvent[];
}

/** What happened to a fleet. The two kinds of fleet have names of their own for the types. */
export interface FleetEvent {
  /** Counts up; older events are forgotten, numbers are not given again. */
  readonly number: number;
  readonly at: number;
  readonly type: "fleet" | "instance" | "error";
  readonly subType: string;
  readonly instance?: string | undefined;
  readonly text: string;
}

const mostEvents = 200;

/** The history with more events at its end. */
export function recorded(
  history: readonly FleetEvent[],
  events: readonly Omit<FleetEvent, "number">[],
): readonly FleetEvent[] {
  const next = (history.at(-1)?.number ?? 0) + 1;
  return [...history, ...events.map((event, index) => ({ ...event, number: next + index }))].slice(-mostEvents);
}

/** Whether a fleet launches no more and waits for its instances to end. */
export function isClosing(state: FleetState): boolean {
  return state.endsWith("_running") || state.endsWith("_terminating");
}
