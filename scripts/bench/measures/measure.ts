/** What a measure is given, and what it is: one round at a time, so that the rounds of all subjects take turns. */
import type { Generators } from "../load/generator.ts";
import type { Extent, Plan } from "../load/plan.ts";
import type { Options } from "../options.ts";
import type { Readings } from "../readings.ts";

export interface Bench {
  readonly options: Options;
  readonly readings: Readings;
  readonly generators: Generators;
}

export interface Measure {
  readonly name: string;
  round(bench: Bench): Promise<void>;
}

/** As long warm as measured: what is compared is steady speed. */
export function timed(seconds: number): Plan {
  const extent: Extent = { ms: seconds * 1000, operations: Number.POSITIVE_INFINITY };
  return { warmUp: extent, measured: extent };
}

export function counted(warmUp: number, measured: number): Plan {
  const extent = (operations: number): Extent => ({ ms: Number.POSITIVE_INFINITY, operations });
  return { warmUp: extent(warmUp), measured: extent(measured) };
}
