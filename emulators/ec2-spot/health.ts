/** What must hold for the emulator to answer. */
import type { HealthCheck } from "../kernel/emulator.ts";
import { products } from "./domain/market.ts";
import { regionNamed } from "./domain/regions.ts";
import type { SpotStore } from "./store.ts";

export const health: readonly HealthCheck<SpotStore>[] = [
  {
    name: "accounts",
    hint: "Seed at least one account in fixtures/seeds/ec2-spot.yaml, or reset.",
    check(runtime) {
      if (!runtime.state.firstAccount()) throw new Error("no account is seeded");
    },
  },
  {
    name: "prices",
    hint: "Check BACKLOT_CLOCK: prices exist for instants from 1970 to 2106.",
    check(runtime) {
      const region = regionNamed(runtime.state.settings().region);
      if (!region) throw new Error("the seed's region is not in the catalogue");
      const { market } = runtime.state.regions.trading(region, runtime.ids.seed);
      const now = Math.floor(runtime.clock.now() / 1000);
      const price = market.priceAt("m5.large", 0, products.indexOf("Linux/UNIX"), now);
      if (price === undefined || price < 1) throw new Error(`m5.large has no price in ${region.name}`);
    },
  },
];
