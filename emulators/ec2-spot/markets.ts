/** The catalogue and the markets of one instance, made on first use. What they keep is bounded and changes no answer. */
import { createHash } from "node:crypto";
import { type Catalogue, createCatalogue } from "./domain/catalogue.ts";
import type { SeedWords } from "./domain/hash.ts";
import { createMarket, type Market, products } from "./domain/market.ts";
import { createHistory, type History } from "./domain/price-history.ts";
import type { Region } from "./domain/regions.ts";
import { createPriceSheet, type PriceSheet, priceHead } from "./wire/spot-prices.ts";

export interface Trading {
  readonly market: Market;
  readonly history: History;
  /** Place of each type in `market.types`. */
  readonly places: ReadonlyMap<string, number>;
  /** The beginning of price records of a type and product; made on first use. */
  head(type: number, product: number): Uint8Array;
}

export interface Regions {
  readonly catalogue: Catalogue;
  readonly sheet: PriceSheet;
  trading(region: Region, seed: string): Trading;
  /** The market of a region for one sweep over it; what is open stays open and nothing is pushed out. */
  aside(region: Region, seed: string): Market;
}

/** Regions whose generated prices are kept, the least recently used going first; about 8 MB each when all is asked for. */
const mostRegions = 6;

export function createRegions(): Regions {
  const open = new Map<string, Trading>();
  let catalogue: Catalogue | undefined;
  let sheet: PriceSheet | undefined;
  const regions: Regions = {
    get catalogue() {
      catalogue ??= createCatalogue();
      return catalogue;
    },
    get sheet() {
      sheet ??= createPriceSheet();
      return sheet;
    },
    aside(region, seed) {
      return (
        open.get(`${region.name}\u0000${seed}`)?.market ?? createMarket(regions.catalogue, region, seedWords(seed))
      );
    },
    trading(region, seed) {
      const key = `${region.name}\u0000${seed}`;
      const found = open.get(key);
      open.delete(key);
      const trading = found ?? openTrading(createMarket(regions.catalogue, region, seedWords(seed)));
      open.set(key, trading);
      for (const oldest of open.keys()) {
        if (open.size <= mostRegions) break;
        open.delete(oldest);
      }
      return trading;
    },
  };
  return regions;
}

function openTrading(market: Market): Trading {
  const heads: (Uint8Array | undefined)[] = new Array(market.types.length * products.length).fill(undefined);
  return {
    market,
    history: createHistory(market),
    places: new Map(market.types.map((type, index) => [type.name, index])),
    head(type, product) {
      const place = type * products.length + product;
      const head = heads[place] ?? priceHead(market.types[type]?.name ?? "", products[product] ?? "");
      heads[place] = head;
      return head;
    },
  };
}

function seedWords(seed: string): SeedWords {
  const digest = createHash("sha256").update(`ec2.prices\u0000${seed}`).digest();
  return [digest.readUInt32BE(0), digest.readUInt32BE(4), digest.readUInt32BE(8), digest.readUInt32BE(12)];
}
