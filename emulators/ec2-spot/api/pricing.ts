/** The price list service: GetProducts, GetAttributeValues, DescribeServices, ListPriceLists, GetPriceListFileUrl. */
import { gunzipSync } from "node:zlib";
import * as z from "zod";
import type { Runtime } from "../../kernel/emulator.ts";
import { answer, type Exchange } from "../../kernel/exchange.ts";
import {
  attributesOf,
  familyOf,
  locationOf,
  type PriceKey,
  pricesIn,
  publication,
  systems,
  variants,
} from "../domain/price-list.ts";
import { type Region, regionNamed, regions } from "../domain/regions.ts";
import { reject } from "../errors.ts";
import { callerOf } from "../identity.ts";
import type { Seals } from "../seals.ts";
import type { SpotStore } from "../store.ts";
import { productJson } from "../wire/prices.ts";
import { requestId } from "../wire/xml.ts";

interface Visit {
  readonly runtime: Runtime<SpotStore>;
  readonly exchange: Exchange;
  readonly seals: Seals;
  readonly said: unknown;
}

type Answer = Readonly<Record<string, unknown>>;
const purpose = "pricing";
const serviceCode = "AmazonEC2";

export function dispatchPricing(runtime: Runtime<SpotStore>, seals: Seals, exchange: Exchange): Response {
  const action = exchange.header("x-amz-target")?.split(".")[1] ?? "";
  exchange.note("operation", action);
  const door = { exchange, service: "pricing", store: runtime.state, seals, wall: runtime.clock.wall() } as const;
  const caller = callerOf(door, runtime.state.settings());
  exchange.note("account", caller.account.id);
  const operation = Object.hasOwn(operations, action) ? operations[action] : undefined;
  if (!operation) return reject("jsonAbsent", `Backlot does not emulate pricing:${action}.`);
  const body = operation({ runtime, exchange, seals, said: bodyOf(exchange) });
  return answer(exchange, 200, JSON.stringify(body), {
    "content-type": "application/x-amz-json-1.1",
    "x-amzn-requestid": requestId(exchange.id),
  });
}

function bodyOf(exchange: Exchange): unknown {
  try {
    const bytes =
      exchange.header("content-encoding") === "gzip"
        ? gunzipSync(exchange.body, { maxOutputLength: 2 ** 20 })
        : exchange.body;
    return JSON.parse(bytes.toString("utf8") || "{}");
  } catch (cause) {
    return reject("jsonParameter", `The request body cannot be read: ${String(cause)}`);
  }
}

function parse<T>(schema: z.ZodType<T>, said: unknown): T {
  const parsed = schema.safeParse(said);
  if (parsed.success) return parsed.data;
  return reject(
    "jsonParameter",
    parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
  );
}

const Filter = z.object({
  Type: z.enum(["TERM_MATCH", "EQUALS", "CONTAINS", "ANY_OF", "NONE_OF"]),
  Field: z.string().min(1).max(1024),
  Value: z.string().min(1).max(1024),
});
const GetProducts = z.object({
  ServiceCode: z.string(),
  Filters: z.array(Filter).max(50).default([]),
  FormatVersion: z.string().optional(),
  NextToken: z.string().optional(),
  MaxResults: z.int().min(1).max(100).default(100),
});
type Wanted = z.output<typeof Filter>;

function accepts({ Type: type, Value: value }: Wanted, own: string): boolean {
  if (type === "TERM_MATCH" || type === "EQUALS") return own === value;
  if (type === "CONTAINS") return own.includes(value);
  const named = value.split(",").map((one) => one.trim());
  return type === "ANY_OF" ? named.includes(own) : !named.includes(own);
}

/** Regions that filters on place leave over, and the one type they name: what need not be looked at is not made. */
function scopeOf(filters: readonly Wanted[]): {
  readonly places: readonly Region[];
  readonly type: string | undefined;
} {
  const exact = filters.filter(({ Type: type }) => type === "TERM_MATCH" || type === "EQUALS");
  const places = regions.filter((region) =>
    exact.every(
      ({ Field: field, Value: value }) =>
        (field !== "regionCode" || value === region.name) && (field !== "location" || value === locationOf(region)),
    ),
  );
  return { places, type: exact.find(({ Field: field }) => field === "instanceType")?.Value };
}

function known(code: string): void {
  if (code !== serviceCode)
    reject("jsonNotFound", `The service code ${code} was not found; Backlot has ${serviceCode}.`);
}

const getProducts = ({ runtime, seals, said }: Visit): Answer => {
  const asked = parse(GetProducts, said);
  known(asked.ServiceCode);
  if (asked.FormatVersion !== undefined && asked.FormatVersion !== "aws_v1")
    reject("jsonParameter", `Unsupported format version ${asked.FormatVersion}`);
  const query = JSON.stringify(asked.Filters);
  const opened = asked.NextToken ? (seals.open(purpose, asked.NextToken) ?? reject("jsonToken")) : `0 ${query}`;
  const space = opened.indexOf(" ");
  if (opened.slice(space + 1) !== query) reject("jsonToken");
  const from = Number(opened.slice(0, space));
  const { places, type } = scopeOf(asked.Filters);
  const published = publication(runtime.clock.now());
  const found: string[] = [];
  let place = -1;
  for (const region of places)
    for (const key of pricesIn(runtime.state.regions.catalogue, region, type)) {
      place += 1;
      if (place < from || !matches(key, asked.Filters)) continue;
      if (found.length === asked.MaxResults)
        return { FormatVersion: "aws_v1", NextToken: seals.seal(purpose, `${place} ${query}`), PriceList: found };
      found.push(JSON.stringify(productJson(key, published)));
    }
  return { FormatVersion: "aws_v1", PriceList: found };
};

function matches(key: PriceKey, filters: readonly Wanted[]): boolean {
  if (filters.length === 0) return true;
  // What most clients filter by is known without writing all attributes.
  for (const filter of filters) {
    if (filter.Field === "operatingSystem" && !accepts(filter, systems[key.system] ?? "")) return false;
    if (filter.Field === "capacitystatus" && !accepts(filter, variants[key.variant]?.status ?? "")) return false;
  }
  const attributes: Readonly<Record<string, string>> = {
    ...attributesOf(key),
    productFamily: familyOf(key),
    ServiceCode: serviceCode,
  };
  return filters.every((filter) => {
    const own = Object.hasOwn(attributes, filter.Field) ? attributes[filter.Field] : undefined;
    return own !== undefined && accepts(filter, own);
  });
}

const GetAttributeValues = z.object({
  ServiceCode: z.string(),
  AttributeName: z.string(),
  NextToken: z.string().optional(),
  MaxResults: z.int().min(1).max(10_000).default(10_000),
});

const first = regionNamed("us-east-1");

/** Names of all attributes: those of any product, and the family. */
function attributeNames(visit: Visit): readonly string[] {
  const one = first && pricesIn(visit.runtime.state.regions.catalogue, first).next().value;
  return one ? [...Object.keys(attributesOf(one)), "productFamily"].sort() : [];
}

/** Values depend on a type, a place or a variant, and only `usagetype` on all: so a product of each is enough. */
function valuesOf({ runtime }: Visit, name: string): readonly string[] {
  const { catalogue } = runtime.state.regions;
  const values = new Set<string>();
  const take = (key: PriceKey) => {
    const value = name === "productFamily" ? familyOf(key) : attributesOf(key)[name];
    if (value !== undefined) values.add(value);
  };
  if (name === "usagetype") {
    for (const region of regions) for (const key of pricesIn(catalogue, region)) take(key);
    return [...values].sort();
  }
  for (const type of catalogue.types) if (first) take({ region: first, type, system: 0, variant: 0 });
  const some = catalogue.named("m5.large");
  if (some)
    for (const region of regions)
      for (const system of systems.keys())
        for (const variant of variants.keys()) take({ region, type: some, system, variant });
  return [...values].sort();
}

const getAttributeValues = (visit: Visit): Answer => {
  const asked = parse(GetAttributeValues, visit.said);
  known(asked.ServiceCode);
  if (!attributeNames(visit).includes(asked.AttributeName))
    reject("jsonNotFound", `The attribute ${asked.AttributeName} was not found for ${asked.ServiceCode}.`);
  const { page, rest } = pageOf(visit, valuesOf(visit, asked.AttributeName), asked);
  return { AttributeValues: page.map((Value) => ({ Value })), ...rest };
};

function pageOf<T>(
  { seals }: Visit,
  all: readonly T[],
  asked: { readonly NextToken?: string | undefined; readonly MaxResults: number },
): { readonly page: readonly T[]; readonly rest: { readonly NextToken?: string } } {
  const from = asked.NextToken ? Number(seals.open("pricing-page", asked.NextToken) ?? reject("jsonToken")) : 0;
  const to = from + asked.MaxResults;
  return {
    page: all.slice(from, to),
    rest: to < all.length ? { NextToken: seals.seal("pricing-page", String(to)) } : {},
  };
}

const DescribeServices = z.object({
  ServiceCode: z.string().optional(),
  FormatVersion: z.string().optional(),
  NextToken: z.string().optional(),
  MaxResults: z.int().min(1).max(100).default(100),
});

const describeServices = (visit: Visit): Answer => {
  const asked = parse(DescribeServices, visit.said);
  if (asked.ServiceCode !== undefined) known(asked.ServiceCode);
  return { FormatVersion: "aws_v1", Services: [{ ServiceCode: serviceCode, AttributeNames: attributeNames(visit) }] };
};

const ListPriceLists = z.object({
  ServiceCode: z.string(),
  EffectiveDate: z.number(),
  RegionCode: z.string().optional(),
  CurrencyCode: z.string(),
  NextToken: z.string().optional(),
  MaxResults: z.int().min(1).max(100).default(100),
});

const listPriceLists = (visit: Visit): Answer => {
  const asked = parse(ListPriceLists, visit.said);
  known(asked.ServiceCode);
  if (asked.CurrencyCode !== "USD") reject("jsonNotFound", `No price list in ${asked.CurrencyCode}.`);
  const { version } = publication(asked.EffectiveDate * 1000);
  const lists = regions
    .filter(({ name }) => asked.RegionCode === undefined || asked.RegionCode === name)
    .map(({ name }) => ({
      PriceListArn: `arn:aws:pricing:::price-list/aws/${serviceCode}/USD/${version}/${name}`,
      RegionCode: name,
      CurrencyCode: "USD",
      FileFormats: ["json"],
    }));
  const { page, rest } = pageOf(visit, lists, asked);
  return { PriceLists: page, ...rest };
};

const GetPriceListFileUrl = z.object({ PriceListArn: z.string(), FileFormat: z.string() });

const getPriceListFileUrl = ({ exchange, said }: Visit): Answer => {
  const asked = parse(GetPriceListFileUrl, said);
  const [, version, region] =
    /^arn:aws:pricing:::price-list\/aws\/AmazonEC2\/USD\/(\d{14})\/([a-z0-9-]+)$/.exec(asked.PriceListArn) ?? [];
  if (version === undefined || region === undefined || !regionNamed(region))
    return reject("jsonNotFound", `The price list ${asked.PriceListArn} was not found.`);
  if (asked.FileFormat !== "json") reject("jsonNotFound", `The price list has no ${asked.FileFormat} file.`);
  return { Url: `${exchange.base}/offers/v1.0/aws/${serviceCode}/${version}/${region}/index.json` };
};

const operations: Readonly<Record<string, (visit: Visit) => Answer>> = {
  GetProducts: getProducts,
  GetAttributeValues: getAttributeValues,
  DescribeServices: describeServices,
  ListPriceLists: listPriceLists,
  GetPriceListFileUrl: getPriceListFileUrl,
};
