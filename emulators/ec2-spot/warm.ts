/**
 * Opens the market of the region that clients are pointed to, and reads some of its current prices: whoever sweeps it first
 * would wait for a thousand types to be placed and for code that has never run. In steps of some milliseconds.
 */
import type { Runtime } from "../kernel/emulator.ts";
import { products } from "./domain/market.ts";
import { regionNamed } from "./domain/regions.ts";
import type { SpotStore } from "./store.ts";

/** Of 24 parts of the region's series. Reading all of them would bring the last tenth of speed for 4 MB of memory. */
const steps = 8;
const parts = 24;

export function* warm(runtime: Runtime<SpotStore>): Iterable<void> {
  const { regions, settings } = runtime.state;
  const region = regionNamed(settings().region);
  if (!region) return;
  yield void regions.catalogue;
  const { market, history, head } = regions.trading(region, runtime.ids.seed);
  yield;
  const now = Math.floor(runtime.clock.now() / 1_000);
  const length = Math.ceil(market.series.length / parts);
  for (let step = 0; step < steps; step += 1) {
    const from = step * length;
    history.page({
      start: now,
      end: now,
      after: undefined,
      limit: length,
      selection: { series: market.series.subarray(from, from + length), products: products.map(() => true) },
      take: (type, _zone, product, ticks, at) => regions.sheet.add(head(type, product), ticks, at, nothing),
    });
    regions.sheet.body(["", ""], "");
    yield;
  }
}

const nothing = new Uint8Array(0);
