/** The price list of one region as a file. */
import type { Catalogue } from "../domain/catalogue.ts";
import { pricesIn, publication, skuOf } from "../domain/price-list.ts";
import type { Region } from "../domain/regions.ts";
import { productJson } from "./prices.ts";

export function offerOf(catalogue: Catalogue, region: Region, now: number): string {
  const published = publication(now);
  const products: Record<string, unknown> = {};
  const terms: Record<string, Record<string, unknown>> = { OnDemand: {}, Reserved: {} };
  for (const key of pricesIn(catalogue, region)) {
    const sku = skuOf(key);
    const one = productJson(key, published);
    products[sku] = one.product;
    for (const [kind, offers] of Object.entries(one.terms as Record<string, unknown>)) {
      const group = terms[kind] ?? {};
      group[sku] = offers;
      terms[kind] = group;
    }
  }
  return JSON.stringify({
    formatVersion: "v1.0",
    disclaimer: "Prices of an emulator; nothing is sold at them.",
    offerCode: "AmazonEC2",
    version: published.version,
    publicationDate: published.date,
    products,
    terms,
  });
}
