/** AvailablePhoneNumbers: the countries that sell numbers, and searches among those on offer. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { areaOf } from "../domain/area-codes.ts";
import {
  numberCapabilities,
  numberType,
  type Offer,
  type OfferType,
  offeredNumbers,
} from "../domain/available-numbers.ts";
import { type Country, countries, countryNamed, friendlyForm } from "../domain/countries.ts";
import { containsPattern } from "../domain/number-pattern.ts";
import { reject, resourcePath } from "../errors.ts";
import { phoneNumber } from "../kinds.ts";
import { wantsXml } from "../wire/headers.ts";
import { spacedJson } from "../wire/json.ts";
import { page2010, page2010Xml } from "../wire/page.ts";
import type { Shown } from "../wire/resource.ts";
import { xmlDocument } from "../wire/xml.ts";
import { type Call, respond, sidOf, type TwilioRuntime } from "./call.ts";
import { eachIn, readPage } from "./page.ts";
import { callOf } from "./resource.ts";

const base = "/2010-04-01/Accounts/:account/AvailablePhoneNumbers";

/** What the path calls a type, and what is sold of it here; types without offers answer an empty list. */
const types: Readonly<Record<string, OfferType | undefined>> = {
  Local: "local",
  Mobile: "mobile",
  TollFree: "toll-free",
  National: undefined,
  Voip: undefined,
  SharedCost: undefined,
  MachineToMachine: undefined,
};

const filters = [
  ...["AreaCode", "Contains", "SmsEnabled", "MmsEnabled", "VoiceEnabled", "FaxEnabled", "ExcludeAllAddressRequired"],
  ...["ExcludeLocalAddressRequired", "ExcludeForeignAddressRequired", "Beta", "NearNumber", "NearLatLong", "Distance"],
  ...["InPostalCode", "InRegion", "InRateCenter", "InLata", "InLocality"],
];

export function mountAvailableNumbers(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  for (const end of [".json", ""]) app.get(`${base}${end}`, (c) => listCountries(callOf(runtime, c)));
  app.get(`${base}/:country`, (c) => fetchCountry(callOf(runtime, c)));
  for (const segment of Object.keys(types))
    for (const end of [".json", ""])
      app.get(`${base}/:country/${segment}${end}`, (c) => search(callOf(runtime, c), segment));
}

function listCountries(call: Call): Response {
  call.exchange.note("operation", "ListAvailablePhoneNumberCountry");
  const end = wantsXml(call.exchange) ? "" : ".json";
  const all = [...countries].sort((left, right) => (left.iso < right.iso ? -1 : 1));
  // Not a page: the service answers all countries at once.
  const body = {
    countries: all.map((country) => renderCountry(call, country)),
    uri: `/2010-04-01/Accounts/${call.account.sid}/AvailablePhoneNumbers${end}`,
  };
  return respond(call.exchange, 200, {
    json: () => spacedJson(body),
    xml: () => xmlDocument({ Countries: { Country: body.countries } }),
  });
}

function fetchCountry(call: Call): Response {
  call.exchange.note("operation", "FetchAvailablePhoneNumberCountry");
  const country = countryIn(call);
  return respond(call.exchange, 200, {
    json: () => spacedJson(renderCountry(call, country)),
    xml: () => xmlDocument({ Country: renderCountry(call, country) }),
  });
}

function renderCountry({ exchange, account, runtime }: Call, country: Country): Shown {
  const end = wantsXml(exchange) ? "" : ".json";
  const path = `/2010-04-01/Accounts/${account.sid}/AvailablePhoneNumbers/${country.iso}`;
  const sold = (["local", "toll-free", "mobile"] as const).filter(
    (type) => offeredNumbers(runtime.ids, country, type).length > 0,
  );
  const names = { local: "Local", "toll-free": "TollFree", mobile: "Mobile" } as const;
  return {
    country_code: country.iso,
    country: country.name,
    uri: `${path}${end}`,
    beta: false,
    subresource_uris: Object.fromEntries(sold.map((type) => [type.replace("-", "_"), `${path}/${names[type]}${end}`])),
  };
}

function search(call: Call, segment: string): Response {
  const { runtime, exchange, query, account } = call;
  exchange.note("operation", `ListAvailablePhoneNumber${segment}`);
  const country = countryIn(call);
  const type = types[segment];
  const areaCode = query.get("AreaCode") || undefined;
  const offers = type === undefined ? [] : offeredNumbers(runtime.ids, country, type, areaCode);
  const path = `/2010-04-01/Accounts/${account.sid}/AvailablePhoneNumbers/${country.iso}/${segment}`;
  const { records, frame } = readPage<Offer>(call, `${path}${wantsXml(exchange) ? "" : ".json"}`, {
    filters,
    each: eachIn(offers, ({ number }) => number),
    keep: ({ number }) => matches(number, country, query) && !runtime.state.resourceByKey(phoneNumber, number),
    sid: ({ number }) => number,
  });
  // A search has no further page: what is on offer is sought, not walked.
  const last = { ...frame, next: null, previous: null };
  const shown = records.map((offer) => renderOffer(offer, country));
  return respond(exchange, 200, {
    json: () => page2010(last, "available_phone_numbers", shown),
    xml: () => page2010Xml(last, "available_phone_numbers", "AvailablePhoneNumber", shown),
  });
}

function matches(number: string, country: Country, query: URLSearchParams): boolean {
  const can = numberCapabilities(number);
  const wants = (name: string, has: boolean) => {
    const asked = query.get(name);
    return asked === null || asked === "" || (asked.toLowerCase() === "true") === has;
  };
  const place = placeOf(number, country);
  const contains = query.get("Contains") || undefined;
  const equal = (name: string, value: string | null) => {
    const asked = query.get(name);
    return asked === null || asked === "" || asked.toLowerCase() === value?.toLowerCase();
  };
  return (
    wants("SmsEnabled", can.sms) &&
    wants("MmsEnabled", can.mms) &&
    wants("VoiceEnabled", can.voice) &&
    wants("FaxEnabled", can.fax) &&
    equal("InRegion", place.region) &&
    equal("InLocality", place.locality) &&
    equal("InPostalCode", place.postal_code) &&
    equal("InRateCenter", place.rate_center) &&
    equal("InLata", place.lata) &&
    (contains === undefined || containsPattern(contains).test(number))
  );
}

function renderOffer({ number }: Offer, country: Country): Shown {
  const { lata, locality, rate_center, latitude, longitude, region, postal_code } = placeOf(number, country);
  return {
    friendly_name: friendlyForm(number),
    phone_number: number,
    lata,
    locality,
    rate_center,
    latitude,
    longitude,
    region,
    postal_code,
    iso_country: country.iso,
    address_requirements: "none",
    beta: false,
    capabilities: numberCapabilities(number),
  };
}

/** In the North American plan the area code tells; toll-free numbers are nowhere. */
function placeOf(number: string, country: Country): Readonly<Record<PlaceMember, string | null>> {
  const area = areaOf(number);
  if (area)
    return {
      lata: area.lata,
      locality: area.locality,
      rate_center: area.locality.toUpperCase(),
      latitude: area.latitude,
      longitude: area.longitude,
      region: area.region,
      postal_code: area.postalCode,
    };
  const isKnown = country.calling !== "1" && numberType(number) === "local";
  const [locality = null, region = null, latitude = null, longitude = null] = isKnown ? country.place : [];
  return { lata: null, locality, rate_center: null, latitude, longitude, region, postal_code: null };
}

type PlaceMember = "lata" | "locality" | "rate_center" | "latitude" | "longitude" | "region" | "postal_code";

function countryIn({ exchange, param }: Call): Country {
  return countryNamed(sidOf(param("country"))) ?? reject("notFound", resourcePath(exchange));
}
