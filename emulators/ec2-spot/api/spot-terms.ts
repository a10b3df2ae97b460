/** What every way to ask for spot instances shares: prices as clients write them, what is no longer offered. */
import { reject } from "../errors.ts";
import type { Node } from "../query-tree.ts";

/** Ticks of 0.0001 dollar; what lies below a tick is cut. */
export function readTicks(price: string | undefined): number | undefined {
  if (price === undefined || price === "") return undefined;
  const dollars = /^\d{0,9}(\.\d{0,9})?$/.test(price) ? Number(price) : Number.NaN;
  if (!(dollars > 0)) return reject("spotPriceInvalid", Number.isNaN(dollars) ? price : dollars.toFixed(6));
  return Math.floor(dollars * 10_000 + 1e-6);
}

export function refuseSpotBlock(node: Node): void {
  if (node.text("BlockDurationMinutes") !== undefined)
    reject("unsupported", "Spot blocks (BlockDurationMinutes) are no longer offered.");
}
