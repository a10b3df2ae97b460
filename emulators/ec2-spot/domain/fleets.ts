/** EC2 fleets and spot fleets. */
import type { LaunchPlan, Resource } from "./resources.ts";

export interface FleetPool {
  readonly plan: LaunchPlan;
  readonly template?: { readonly id: string; readonly name: string; readonly version: number } | undefined;
  readonly weight: number;
  readonly mostTicks?: number | undefined;
  readonly priority: number;
}

export interface Fleet extends Resource {
  /** `fleet` of CreateFleet, `spot-fleet` of RequestSpotFleet. */
  readonly kind: "fleet" | "spot-fleet";
  readonly type: "instant" | "request" | "maintain";
  readonly state: string;
  readonly createdAt: number;
  readonly target: number;
  readonly onDemand: number;
  readonly strategy: string;
  readonly pools: readonly FleetPool[];
  readonly instances: readonly {
    readonly id: string;
    readonly spotRequest?: string | undefined;
    readonly weight: number;
    readonly type: string;
  }[];
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
