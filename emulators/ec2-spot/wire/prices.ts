/** One product of the price list, as the text that stands in PriceList. */
import {
  attributesOf,
  familyOf,
  type PriceKey,
  priceOf,
  type publication,
  skuOf,
  systems,
} from "../domain/price-list.ts";

const onDemandCode = "JRTCKXETXF";
const hourCode = "6YS6EN2CT7";

/** Reserved offers: code, years, class, payment, part of the on-demand price. */
const reserved = [
  ["4NA7Y494T4", "1yr", "standard", "No Upfront", 0.63],
  ["HU7G6KETJZ", "1yr", "standard", "Partial Upfront", 0.6],
  ["6QCMYABX3D", "1yr", "standard", "All Upfront", 0.59],
  ["BPH4J8HBKS", "3yr", "standard", "No Upfront", 0.43],
  ["7NE97W5U4E", "1yr", "convertible", "No Upfront", 0.72],
  ["Z2E3P23VKM", "3yr", "convertible", "No Upfront", 0.5],
] as const;

export function dollarsOf(micro: number): string {
  return (micro / 1_000_000).toFixed(10);
}

export function productJson(
  key: PriceKey,
  published: ReturnType<typeof publication>,
): Readonly<Record<string, unknown>> {
  const sku = skuOf(key);
  const micro = priceOf(key);
  const system = systems[key.system] ?? "Linux";
  const dimension = (offer: string, price: number, description: string) => ({
    [`${sku}.${offer}.${hourCode}`]: {
      unit: "Hrs",
      endRange: "Inf",
      description,
      appliesTo: [],
      rateCode: `${sku}.${offer}.${hourCode}`,
      beginRange: "0",
      pricePerUnit: { USD: dollarsOf(price) },
    },
  });
  const described = `$${Number((micro / 1_000_000).toFixed(6))} per ${key.variant === 0 ? "On Demand" : key.variant === 3 ? "Dedicated" : "Reservation"} ${system} ${key.type.name} Instance Hour`;
  return {
    product: { productFamily: familyOf(key), attributes: attributesOf(key), sku },
    serviceCode: "AmazonEC2",
    terms: {
      OnDemand: {
        [`${sku}.${onDemandCode}`]: {
          priceDimensions: dimension(onDemandCode, micro, described),
          sku,
          effectiveDate: published.effective,
          offerTermCode: onDemandCode,
          termAttributes: {},
        },
      },
      ...(key.variant === 0
        ? {
            Reserved: Object.fromEntries(
              reserved.map(([code, years, offering, payment, part]) => [
                `${sku}.${code}`,
                {
                  priceDimensions: dimension(
                    code,
                    payment === "All Upfront" ? 0 : Math.round(micro * part),
                    `${system}, ${key.type.name} reserved instance applied`,
                  ),
                  sku,
                  effectiveDate: published.effective,
                  offerTermCode: code,
                  termAttributes: { LeaseContractLength: years, OfferingClass: offering, PurchaseOption: payment },
                },
              ]),
            ),
          }
        : {}),
    },
    version: published.version,
    publicationDate: published.date,
  };
}
