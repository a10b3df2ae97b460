/**
 * Numbers on offer. Which ones is a pure function of the seed, so that the same search finds the same numbers in every run;
 * in the North American plan all are in the part that is kept for fiction (555-0100 to 0199).
 */
import type { Ids } from "../../kernel/ids.ts";
import { areaCodesOf } from "./area-codes.ts";
import { type Country, countryOf, lineType } from "./countries.ts";

export type OfferType = "local" | "mobile" | "toll-free";

export interface Offer {
  readonly number: string;
  readonly areaCode: string;
}

const mostOffers = 60;
const tollFreeCodes = ["800", "833", "844", "855", "866", "877", "888"];

/** In a fixed order; an area code narrows to it. */
export function offeredNumbers(ids: Ids, country: Country, type: OfferType, areaCode?: string): readonly Offer[] {
  if (country.calling !== "1") return abroad(ids, country, type);
  const codes = type === "toll-free" ? tollFreeCodes : areaCodesOf(country.iso);
  const asked =
    areaCode === undefined ? codes : codes.includes(areaCode) || isGeographic(areaCode, type) ? [areaCode] : [];
  const offers: Offer[] = [];
  const perCode = Math.ceil(mostOffers / Math.max(1, asked.length));
  for (const code of asked) {
    const first = Math.floor(ids.fixed("twilio.offer", [country.iso, type, code]).unit() * 100);
    for (let n = 0; n < Math.min(perCode, 100); n += 1) {
      const line = 100 + ((first + n * 37) % 100);
      offers.push({ number: `+1${code}5550${line}`, areaCode: code });
    }
  }
  return offers;
}

function isGeographic(areaCode: string, type: OfferType): boolean {
  return (
    type !== "toll-free" && /^[2-9][0-8]\d$/.test(areaCode) && !tollFreeCodes.includes(areaCode) && areaCode !== "533"
  );
}

const mobileStart: Readonly<Record<string, string>> = {
  IE: "87",
  PT: "91",
  FI: "45",
  IL: "50",
  GB: "7700900",
  DE: "1517",
  FR: "6399",
  ES: "612",
  IT: "347",
  NL: "6",
  BE: "470",
  CH: "76",
  AT: "664",
  SE: "70",
  NO: "41",
  PL: "510",
  AU: "491",
  NZ: "21",
  JP: "90",
  CN: "139",
  IN: "98",
  BR: "119",
  ZA: "71",
  SG: "81",
};
const localStart: Readonly<Record<string, string>> = {
  IE: "1",
  PT: "21",
  FI: "9",
  IL: "3",
  GB: "207946",
  DE: "302312",
  FR: "199",
  ES: "91",
  IT: "06",
  NL: "20",
  BE: "2",
  CH: "44",
  AT: "1",
  SE: "8",
  DK: "32",
  NO: "22",
  PL: "22",
  AU: "255",
  NZ: "9",
  JP: "3",
  CN: "10",
  IN: "22",
  BR: "11",
  MX: "55",
  ZA: "11",
  SG: "61",
};
const freeStart: Readonly<Record<string, string>> = { GB: "808", DE: "800", FR: "805", AU: "1800", IE: "1800" };

function abroad(ids: Ids, country: Country, type: OfferType): readonly Offer[] {
  const starts = type === "mobile" ? mobileStart : type === "local" ? localStart : freeStart;
  const start = starts[country.iso];
  if (start === undefined) return [];
  const digits = country.lengths[1] > 10 ? 10 : country.lengths[1];
  return Array.from({ length: 20 }, (_, n) => {
    const rest = ids
      .fixed("twilio.offer", [country.iso, type, n])
      .text(Math.max(3, digits - start.length), "0123456789");
    return { number: `+${country.calling}${start}${rest}`, areaCode: start };
  });
}

/** Of a number that is bought: in the North American plan nothing tells mobile from local, so it is local. */
export function numberType(number: string): OfferType {
  const type = lineType(number);
  if (type === "tollFree") return "toll-free";
  return type === "mobile" && countryOf(number)?.calling !== "1" && countryOf(number)?.mobile ? "mobile" : "local";
}

export function numberCapabilities(number: string): { voice: boolean; sms: boolean; mms: boolean; fax: boolean } {
  const north = number.startsWith("+1");
  const type = numberType(number);
  const landline = type === "local" && !north;
  return { voice: true, sms: !landline, mms: north, fax: false };
}
