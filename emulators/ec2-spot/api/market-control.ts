/** Control routes that show the market as a chart needs it: what is offered where, and whole price paths, not pages. */
import type { Hono } from "hono";
import * as z from "zod";
import { isoSeconds } from "../../kernel/clock.ts";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerJson, type Exchange } from "../../kernel/exchange.ts";
import { readQuery } from "../../kernel/http/input.ts";
import { ControlError } from "../../kernel/plain-errors.ts";
import { adviceOf, ranges } from "../domain/advisor.ts";
import { type Market, products } from "../domain/market.ts";
import { segmentSeconds } from "../domain/price-path.ts";
import { type Region, regionNamed, regions, zoneNames } from "../domain/regions.ts";
import type { SpotStore } from "../store.ts";

const daySeconds = 86_400;
const RegionQuery = z.strictObject({ region: z.string().optional() });
const PricesQuery = RegionQuery.extend({
  type: z.string(),
  product: z.enum(products).default("Linux/UNIX"),
  days: z.coerce.number().min(1).max(90).default(7),
});

export function marketRoutes(app: Hono<KernelEnv>, runtime: Runtime<SpotStore>): void {
  app.get("/markets", (c) => offered(runtime, c.env.exchange));
  app.get("/prices", (c) => prices(runtime, c.env.exchange));
}

function offered(runtime: Runtime<SpotStore>, exchange: Exchange): Response {
  const { region, market } = marketOf(runtime, readQuery(exchange, RegionQuery).region);
  return answerJson(exchange, 200, {
    region: region.name,
    regions: regions.map(({ name, geography }) => ({ name, geography })),
    products,
    types: market.types.map(({ name, vcpu, memoryMib, architecture }) => ({ name, vcpu, memoryMib, architecture })),
  });
}

function prices(runtime: Runtime<SpotStore>, exchange: Exchange): Response {
  const query = readQuery(exchange, PricesQuery);
  const { region, market } = marketOf(runtime, query.region);
  const type = market.placeOf(query.type);
  if (type === undefined)
    throw new ControlError(404, "unknown_type", `${query.type} is not offered in ${region.name}.`, {
      hint: "GET /_backlot/ec2-spot/markets lists what is.",
    });
  const product = products.indexOf(query.product);
  const to = Math.floor(runtime.clock.now() / 1000);
  const from = to - Math.round(query.days * daySeconds);
  const names = zoneNames(region, runtime.state.firstAccount() ?? { id: "", shuffled: false });
  const advice = adviceOf(market, type, product, Math.floor(to / daySeconds) * daySeconds);
  return answerJson(exchange, 200, {
    region: region.name,
    type: query.type,
    product: query.product,
    from: isoSeconds(from * 1000),
    to: isoSeconds(to * 1000),
    onDemand: dollars(market.onDemand(type, product)),
    advice: advice ? { savings: advice.s, interruption: ranges[advice.r]?.label ?? "" } : null,
    zones: region.zones.flatMap(({ id }, zone) => {
      const series = market.seriesOf(type, zone, product);
      if (!market.has(series)) return [];
      return [{ id, name: names[zone] ?? id, points: pathOf(market, { series, type, product }, { from, to }) }];
    }),
  });
}

interface PricePool {
  readonly series: number;
  readonly type: number;
  readonly product: number;
}

/** Every change in (from, to], preceded by the price that held at `from`: [epoch seconds, dollars]. */
function pathOf(
  market: Market,
  { series, type, product }: PricePool,
  { from, to }: { readonly from: number; readonly to: number },
): readonly (readonly [number, number])[] {
  const points: [number, number][] = [];
  const { segments } = market;
  const { times, ticks } = segments.records;
  for (let at = from; at <= to; ) {
    const first = segments.at(series, at);
    for (let place = first; place < segments.end(first); place += 1) {
      const time = times[place] ?? 0;
      if (time > to) return points;
      const price = dollars(market.priceOf(type, product, ticks[place] ?? 0));
      if (time <= from) points[0] = [from, price];
      else points.push([time, price]);
    }
    at = (times[first] ?? 0) + segmentSeconds;
  }
  return points;
}

function marketOf({ state, ids }: Runtime<SpotStore>, name = state.settings().region) {
  const region: Region | undefined = regionNamed(name);
  if (!region)
    throw new ControlError(404, "unknown_region", `${name} is not emulated.`, {
      known: regions.map((known) => known.name),
    });
  return { region, market: state.regions.trading(region, ids.seed).market };
}

const dollars = (ticks: number) => ticks / 10_000;
