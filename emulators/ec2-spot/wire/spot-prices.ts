/** Spot price records. A page has a thousand of them, so what does not change is escaped and joined once. */
import { element } from "./xml.ts";

/** What precedes the price of a type and product. */
export function priceHead(type: string, product: string): string {
  return `\n        <item>${element("instanceType", type)}${element("productDescription", product)}<spotPrice>`;
}

/** What follows the timestamp in a zone. */
export function priceTail(zone: string, zoneId: string): string {
  return `</timestamp>${element("availabilityZone", zone)}${element("availabilityZoneId", zoneId)}</item>`;
}

export const betweenPriceAndTime = "</spotPrice><timestamp>";

/** Ticks of 0.0001 dollar as EC2 writes prices: six decimals, the last two always 00. */
export function priceText(ticks: number): string {
  const whole = Math.floor(ticks / 10_000);
  return `${whole}.${String(ticks - whole * 10_000 + 10_000).slice(1)}00`;
}

/** `nextToken` is always there, and empty on the last page: clients index it. */
export function pricePage(items: string, nextToken: string): string {
  const set = items === "" ? "<spotPriceHistorySet/>" : `<spotPriceHistorySet>${items}\n    </spotPriceHistorySet>`;
  return `${set}\n    ${nextToken === "" ? "<nextToken/>" : element("nextToken", nextToken)}`;
}
