/** DescribeSpotPriceHistory. */
import { hashText } from "../domain/hash.ts";
import { products } from "../domain/market.ts";
import type { Cursor, Selection } from "../domain/price-history.ts";
import { zoneNames } from "../domain/regions.ts";
import { matchesAny } from "../domain/wildcard.ts";
import { reject } from "../errors.ts";
import type { Trading } from "../markets.ts";
import type { Filter } from "../query-protocol.ts";
import { priceTail, priceText } from "../wire/spot-prices.ts";
import { longTimestamp, timestampFormat } from "../wire/time.ts";
import { ec2Envelope } from "../wire/xml.ts";
import { answerEc2Body, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";

const noTail = new Uint8Array(0);
const purpose = "spot-price-history";
const historySeconds = 90 * 86_400;
const usualPage = 1_000;
/** A page of 31 MB; more than any client asks for. */
const largestPage = 100_000;
const filterNames = new Set([
  "availability-zone",
  "availability-zone-id",
  "instance-type",
  "product-description",
  "spot-price",
  "timestamp",
]);

interface Request {
  readonly types: readonly string[];
  readonly descriptions: readonly string[];
  readonly zone: string | undefined;
  readonly zoneId: string | undefined;
  readonly filters: readonly Filter[];
  readonly limit: number;
  readonly query: number;
  readonly start: number;
  readonly end: number;
  readonly after: Cursor | undefined;
}

export const describeSpotPriceHistory: Operation = {
  service: "ec2",
  action: "DescribeSpotPriceHistory",
  parameters: parameterNames(
    "AvailabilityZone AvailabilityZoneId DryRun StartTime EndTime InstanceType ProductDescription Filter MaxResults NextToken",
  ),
  run(call) {
    const { runtime, region, caller, exchange } = call;
    const request = read(call);
    const zones = zoneNames(region, { id: caller.account.id, shuffled: caller.account.shuffled });
    refuseZones(
      request,
      zones,
      region.zones.map((zone) => zone.id),
    );
    stopDryRun(call);
    exchange.note("resource", region.name);
    const trading = runtime.state.regions.trading(region, runtime.ids.seed);
    const selection = select(trading, request, zones);
    const accepts = recordFilter(request.filters);
    const tails = region.zones.map((zone, index) => priceTail(zones[index] ?? "", zone.id));
    const { sheet } = runtime.state.regions;
    const cursor = trading.history.page({
      start: request.start,
      end: request.end,
      after: request.after,
      limit: request.limit,
      selection,
      ...(accepts ? { accepts } : {}),
      take(type, zone, product, ticks, at) {
        sheet.add(trading.head(type, product), ticks, at, tails[zone] ?? noTail);
      },
    });
    const token = cursor ? tokenOf(call, request, cursor) : "";
    return answerEc2Body(call, sheet.body(ec2Envelope("DescribeSpotPriceHistory", exchange.id), token));
  },
};

function read(call: Call): Request {
  const { parameters } = call;
  const limit = parameters.integer("MaxResults");
  if (limit !== undefined && limit < 1) reject("belowLeast", String(limit), "0");
  const filters = parameters.filters();
  for (const filter of filters) if (!filterNames.has(filter.name)) reject("badFilter", filter.name);
  const zone = parameters.text("AvailabilityZone");
  const zoneId = parameters.text("AvailabilityZoneId");
  if (zone !== undefined && zoneId !== undefined)
    reject("parameterCombination", "AvailabilityZone", "AvailabilityZoneId");
  return {
    types: parameters.list("InstanceType"),
    descriptions: parameters.list("ProductDescription").map(plainProduct),
    zone,
    zoneId,
    filters,
    limit: Math.min(limit ?? usualPage, largestPage),
    ...windowOf(call),
  };
}

/** The window of the first page holds for all of them, so that pages fit together while time goes on. */
function windowOf(call: Call): Pick<Request, "query" | "start" | "end" | "after"> {
  const { parameters, runtime, caller, region, seals } = call;
  const asked = [...parameters.all].filter(([name]) => !/^(MaxResults|NextToken|DryRun|X-Amz-.*)$/.test(name));
  const query = hashText(
    JSON.stringify([caller.account.id, region.name, asked.sort(([left], [right]) => (left < right ? -1 : 1))]),
  );
  const startAt = parameters.instant("StartTime");
  const endAt = parameters.instant("EndTime");
  if (startAt !== undefined && endAt !== undefined && startAt > endAt)
    reject("badWindow", parameters.text("StartTime"), parameters.text("EndTime"));
  const token = parameters.text("NextToken");
  if (token) {
    const [of, start, end, at, pool] = (seals.open(purpose, token) ?? reject("badToken")).split(".").map(Number);
    if (of !== query || start === undefined || end === undefined || at === undefined || pool === undefined)
      return reject("badToken");
    return { query, start, end, after: { at, pool } };
  }
  // Clients under another clock than ours ask for a future; there is none yet.
  const now = Math.floor(runtime.clock.now() / 1000);
  const clamp = (instant: number) => Math.max(now - historySeconds, Math.min(now, Math.floor(instant / 1000)));
  return { query, start: clamp(startAt ?? 0), end: endAt === undefined ? now : clamp(endAt), after: undefined };
}

function tokenOf({ seals }: Call, { query, start, end }: Request, { at, pool }: Cursor): string {
  return seals.seal(purpose, [query, start, end, at, pool].join("."));
}

function refuseZones(request: Request, names: readonly string[], ids: readonly string[]): void {
  if (request.zone !== undefined && !names.includes(request.zone)) reject("badZone", request.zone);
  if (request.zoneId !== undefined && !ids.includes(request.zoneId)) reject("badZoneId", request.zoneId);
}

/** Accounts without EC2-Classic see plain names, and may ask by either. */
function plainProduct(description: string): string {
  return description.replace(/ \(Amazon VPC\)$/, "");
}

function select(trading: Trading, request: Request, zones: readonly string[]): Selection {
  const { market, places } = trading;
  const wanted = (name: string, text: string) =>
    request.filters.every((filter) => filter.name !== name || filter.values.includes(text));
  const asked = (values: readonly string[], text: string) => values.length === 0 || values.includes(text);
  const plain = request.filters
    .filter(({ name }) => name === "product-description")
    .map(({ values }) => values.map(plainProduct));
  const chosen = products.map(
    (product) => asked(request.descriptions, product) && plain.every((values) => values.includes(product)),
  );
  const open = market.region.zones.map(
    (zone, index) =>
      (request.zone ?? zones[index]) === zones[index] &&
      (request.zoneId ?? zone.id) === zone.id &&
      wanted("availability-zone", zones[index] ?? "") &&
      wanted("availability-zone-id", zone.id),
  );
  const typed = request.types.length > 0 || request.filters.some(({ name }) => name === "instance-type");
  if (!typed && open.every(Boolean) && chosen.every(Boolean)) return { series: market.series, products: chosen };
  const names = request.types.length > 0 ? [...new Set(request.types)] : market.types.map((type) => type.name);
  const linux = chosen.slice(0, 3).includes(true);
  const series: number[] = [];
  for (const name of names) {
    const type = places.get(name);
    if (type === undefined || !wanted("instance-type", name)) continue;
    for (let zone = 0; zone < open.length; zone += 1) {
      if (open[zone] !== true) continue;
      for (const product of [0, 3]) {
        const one = market.seriesOf(type, zone, product);
        if ((product === 3 ? chosen[3] === true : linux) && market.has(one)) series.push(one);
      }
    }
  }
  return { series: Uint32Array.from(series).sort(), products: chosen };
}

/** Filters on what only a record knows; both take wildcards. A timestamp is matched in ISO form and in EC2's long form. */
function recordFilter(filters: readonly Filter[]): ((ticks: number, at: number) => boolean) | undefined {
  const prices = filters.filter(({ name }) => name === "spot-price");
  const times = filters.filter(({ name }) => name === "timestamp");
  if (prices.length + times.length === 0) return undefined;
  const timestamp = timestampFormat();
  return (ticks, at) =>
    prices.every(({ values }) => matchesAny(values, priceText(ticks))) &&
    times.every(({ values }) => matchesAny(values, timestamp(at)) || matchesAny(values, longTimestamp(at)));
}
