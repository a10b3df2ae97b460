/** The state of a row at an instant. */
import { nothing } from "./compliance.ts";
import { lastAt } from "./overlay.ts";
import type { Readings } from "./readings.ts";
import { dayMs, instantOf } from "./scans.ts";

export interface Current {
  /** `nothing` for a row that was never evaluated. */
  readonly compliance: number;
  readonly instant: number;
}

export function currentOf(readings: Readings, row: number, at: number): Current {
  const { estate, overlay } = readings;
  const instant = newestScan(readings, row, at);
  const last = lastAt(overlay.ofRow.get(row), at);
  if (last && last.instant >= instant) return { compliance: last.compliance, instant: last.instant };
  const { scanAt = 0 } = estate.subscriptions[estate.resources.subscription[estate.rows.resource[row] ?? 0] ?? 0] ?? {};
  const day = Math.round((instant - instantOf(scanAt, estate.rows.offset[row] ?? 0)) / dayMs);
  return { compliance: readings.complianceOn(day)[row] ?? nothing, instant };
}

/** When a row was last scanned, at or before `to`. */
export function newestScan({ estate }: Readings, row: number, to: number): number {
  const { subscriptions, resources, rows } = estate;
  const { scanAt = 0 } = subscriptions[resources.subscription[rows.resource[row] ?? 0] ?? 0] ?? {};
  const instant = instantOf(scanAt, rows.offset[row] ?? 0);
  return Math.floor((to - instant) / dayMs) * dayMs + instant;
}
