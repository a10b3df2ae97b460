/** Documents that are plain files on AWS: the Spot Advisor's data and the price list of a region. */
import { createHash } from "node:crypto";
import type { Runtime } from "../../kernel/emulator.ts";
import { answer, answerJson, type Exchange } from "../../kernel/exchange.ts";
import { adviceOf, ranges } from "../domain/advisor.ts";
import { regionNamed, regions } from "../domain/regions.ts";
import type { SpotStore } from "../store.ts";

const daySeconds = 86_400;

/** The document of a day, one region at a time so that other requests are answered in between. */
export async function advisorDocument(runtime: Runtime<SpotStore>, day: number): Promise<string> {
  const { regions: markets } = runtime.state;
  const advice: Record<string, Record<string, Record<string, unknown>>> = {};
  for (const region of regions) {
    const market = markets.aside(region, runtime.ids.seed);
    const linux: Record<string, unknown> = {};
    const windows: Record<string, unknown> = {};
    market.types.forEach((type, index) => {
      const one = adviceOf(market, index, 0, day * daySeconds);
      if (one) linux[type.name] = one;
      const other = type.architecture === "x86_64" ? adviceOf(market, index, 3, day * daySeconds) : undefined;
      if (other) windows[type.name] = other;
    });
    advice[region.name] = { Linux: linux, Windows: windows };
    await new Promise(setImmediate);
  }
  const types = Object.fromEntries(
    markets.catalogue.types.map((type) => [
      type.name,
      { emr: /^(m|c|r)\d/.test(type.family), cores: type.vcpu, ram_gb: type.memoryMib / 1024 },
    ]),
  );
  return JSON.stringify({ global_rate: "<10%", ranges, instance_types: types, spot_advisor: advice });
}

export async function spotAdvisor(runtime: Runtime<SpotStore>, exchange: Exchange): Promise<Response> {
  exchange.note("operation", "SpotAdvisor");
  const day = Math.floor(runtime.clock.now() / 1000 / daySeconds);
  const body = await runtime.state.advisor(day, () => advisorDocument(runtime, day));
  const headers = {
    "content-type": "application/json",
    etag: `"${createHash("md5").update(body).digest("hex")}"`,
    "last-modified": new Date(day * daySeconds * 1000).toUTCString(),
  };
  if (exchange.header("if-none-match") === headers.etag) return answer(exchange, 304, null, headers);
  return answer(exchange, 200, body, headers);
}

/** `/offers/v1.0/aws/AmazonEC2/<version>/<region>/index.json`, where GetPriceListFileUrl points. */
export async function offerFile(runtime: Runtime<SpotStore>, exchange: Exchange): Promise<Response> {
  exchange.note("operation", "PriceListFile");
  const [, version, name] =
    /^\/offers\/v1\.0\/aws\/AmazonEC2\/(\d{14}|current)\/([a-z0-9-]+)\/index\.json$/.exec(exchange.target) ?? [];
  const region = name === undefined ? undefined : regionNamed(name);
  if (version === undefined || !region) return answerJson(exchange, 404, { message: "There is no such price list." });
  const { offerOf } = await import("../wire/offer-file.ts");
  return answer(exchange, 200, offerOf(runtime.state.regions.catalogue, region, runtime.clock.now()), {
    "content-type": "application/json",
  });
}
