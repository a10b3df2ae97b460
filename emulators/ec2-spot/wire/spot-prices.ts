/** Spot price records. A page has a thousand of them, so what does not change is escaped, joined and encoded once. */
import { element } from "./xml.ts";

/** What precedes the price of a type and product. */
export function priceHead(type: string, product: string): Uint8Array {
  return Buffer.from(
    `\n        <item>${element("instanceType", type)}${element("productDescription", product)}<spotPrice>`,
  );
}

/** What follows the timestamp in a zone. */
export function priceTail(zone: string, zoneId: string): Uint8Array {
  return Buffer.from(`</timestamp>${element("availabilityZone", zone)}${element("availabilityZoneId", zoneId)}</item>`);
}

const betweenPriceAndTime = Buffer.from("</spotPrice><timestamp>");

/** Ticks of 0.0001 dollar as EC2 writes prices: six decimals, the last two always 00. */
export function priceText(ticks: number): string {
  const whole = Math.floor(ticks / 10_000);
  return `${whole}.${String(ticks - whole * 10_000 + 10_000).slice(1)}00`;
}

/** Turns records into bytes one after the other. */
export interface PriceSheet {
  /** `ticks` of 0.0001 dollar, `at` in seconds since 1970. */
  add(head: Uint8Array, ticks: number, at: number, tail: Uint8Array): void;
  /** The answer's body: what was added since the last one between the two parts of the envelope. */
  body(envelope: readonly [before: string, after: string], nextToken: string): Buffer;
}

/** A usual page fits; a longer one gets memory of its own, which is let go afterwards. */
const usualBytes = 384 * 1024;
/** More than any record has. */
const mostRecordBytes = 1_024;
const [zero, point, colon] = [48, 46, 58];
const daySeconds = 86_400;
const endOfTime = Buffer.from(".000Z");

/**
 * The sheet is used again for each answer: a page as one long text would be written three times, into fresh memory each
 * time, before it is bytes. Bytes are copied and digits written one by one, which takes a quarter of the time of joining and
 * encoding a text for each record. Everything on it is ASCII: names of the catalogue, digits and zones.
 */
export function createPriceSheet(): PriceSheet {
  const usual = Buffer.allocUnsafeSlow(usualBytes);
  let sheet = usual;
  let length = 0;
  let day = -1;
  /** `2026-11-20T`, of `day`. */
  let date: Uint8Array = Buffer.alloc(11);

  const copy = (bytes: Uint8Array) => {
    sheet.set(bytes, length);
    length += bytes.length;
  };
  const digits = (value: number, count: number) => {
    let rest = value;
    for (let at = length + count - 1; at >= length; at -= 1) {
      const left = Math.floor(rest / 10);
      sheet[at] = zero + rest - left * 10;
      rest = left;
    }
    length += count;
  };
  const mark = (character: number) => {
    sheet[length] = character;
    length += 1;
  };
  const price = (ticks: number) => {
    const whole = Math.floor(ticks / 10_000);
    digits(whole, whole < 10 ? 1 : whole < 100 ? 2 : String(whole).length);
    mark(point);
    digits((ticks - whole * 10_000) * 100, 6);
  };
  const timestamp = (at: number) => {
    const today = Math.floor(at / daySeconds);
    if (today !== day) {
      day = today;
      date = Buffer.from(new Date(today * daySeconds * 1_000).toISOString().slice(0, 11));
    }
    const rest = at - today * daySeconds;
    const minutes = Math.floor(rest / 60);
    const hours = Math.floor(minutes / 60);
    copy(date);
    digits(hours, 2);
    mark(colon);
    digits(minutes - hours * 60, 2);
    mark(colon);
    digits(rest - minutes * 60, 2);
    copy(endOfTime);
  };

  return {
    add(head, ticks, at, tail) {
      if (length + mostRecordBytes > sheet.length) {
        const longer = Buffer.allocUnsafeSlow(sheet.length * 2);
        sheet.copy(longer, 0, 0, length);
        sheet = longer;
      }
      copy(head);
      price(ticks);
      copy(betweenPriceAndTime);
      timestamp(at);
      copy(tail);
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
