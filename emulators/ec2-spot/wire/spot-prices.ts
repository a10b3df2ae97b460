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

const betweenPriceAndTime = "</spotPrice><timestamp>";

/** Ticks of 0.0001 dollar as EC2 writes prices: six decimals, the last two always 00. */
export function priceText(ticks: number): string {
  const whole = Math.floor(ticks / 10_000);
  return `${whole}.${String(ticks - whole * 10_000 + 10_000).slice(1)}00`;
}

/** Turns records into bytes one after the other. */
export interface PriceSheet {
  add(record: {
    readonly head: string;
    readonly price: string;
    readonly timestamp: string;
    readonly tail: string;
  }): void;
  /** The answer's body: what was added since the last one between the two parts of the envelope. */
  body(envelope: readonly [before: string, after: string], nextToken: string): Buffer;
}

/** A usual page fits; a longer one gets memory of its own, which is let go afterwards. */
const usualBytes = 384 * 1024;
/** More than any record has. */
const mostRecordBytes = 1_024;

/**
 * The sheet is used again for each answer: a page as one long text would be written three times, into fresh memory each
 * time, before it is bytes. Everything on it is ASCII: names of the catalogue, digits and zones.
 */
export function createPriceSheet(): PriceSheet {
  const usual = Buffer.allocUnsafeSlow(usualBytes);
  let sheet = usual;
  let length = 0;
  return {
    add({ head, price, timestamp, tail }) {
      if (length + mostRecordBytes > sheet.length) {
        const longer = Buffer.allocUnsafeSlow(sheet.length * 2);
        sheet.copy(longer, 0, 0, length);
        sheet = longer;
      }
      length += sheet.write(head + price + betweenPriceAndTime + timestamp + tail, length, "latin1");
    },
    body([before, after], nextToken) {
      const items = sheet.subarray(0, length);
      sheet = usual;
      const opened = length === 0 ? "<spotPriceHistorySet/>" : "<spotPriceHistorySet>";
      const closed = length === 0 ? "" : "\n    </spotPriceHistorySet>";
      length = 0;
      // `nextToken` is always there, and empty on the last page: clients index it.
      const token = nextToken === "" ? "<nextToken/>" : element("nextToken", nextToken);
      return Buffer.concat([Buffer.from(before + opened), items, Buffer.from(`${closed}\n    ${token}${after}`)]);
    },
  };
}
