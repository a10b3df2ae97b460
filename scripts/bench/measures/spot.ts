import { backlotCommand, startBacklot } from "../backlot.ts";
import type { RequestParts } from "../load/request.ts";
import { rawRequest } from "../load/request.ts";
import { backlot, type MetricName } from "../metrics.ts";
import { measureLargeAnswer } from "./large-answer.ts";
import { type Bench, type Measure, timed } from "./measure.ts";

export const spot: Measure = { name: "spot", round };

type Query = (parameters: Readonly<Record<string, string>>) => RequestParts & { readonly body: string };

async function round(bench: Bench): Promise<void> {
  const server = await startBacklot(backlotCommand());
  const { AWS_ACCESS_KEY_ID = "", AWS_REGION = "us-east-1" } = await server.environment();
  const now = new Date().toISOString();
  const day = now.slice(0, 10).replaceAll("-", "");
  const query: Query = (parameters) => ({
    method: "POST",
    url: new URL(server.services["ec2-spot"]?.url ?? ""),
    headers: {
      // Signatures are not checked by default; account, region and service come from the scope.
      authorization: `AWS4-HMAC-SHA256 Credential=${AWS_ACCESS_KEY_ID}/${day}/${AWS_REGION}/ec2/aws4_request, SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`,
      "x-amz-date": `${day}T000000Z`,
      "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    },
    body: new URLSearchParams({
      Action: "DescribeSpotPriceHistory",
      Version: "2016-11-15",
      MaxResults: "1000",
      ...parameters,
    }).toString(),
  });
  // The connection is there; nothing of the market is.
  await (await fetch(new URL("/health", server.services["ec2-spot"]?.url ?? ""))).text();
  bench.readings.add("spotSweep", `${backlot}, the first`, await sweep(query, now));
  bench.readings.add("spotSweep", `${backlot}, the second`, await sweep(query, now));
  await measureLargeAnswer(bench, {
    latency: "spotPage",
    rate: "spotRate",
    request: query({}),
    check(body) {
      const items = body.split("<item>").length - 1;
      return items === 1000 ? undefined : `${items} items instead of 1,000`;
    },
  });
  const pool = { "InstanceType.1": "m5.large", "ProductDescription.1": "Linux/UNIX", AvailabilityZone: "us-east-1b" };
  await latency(bench, "spotPool", query(pool));
  await server.stop();
}

/** Milliseconds for the current price of every pool of the region, page after page. */
async function sweep(query: Query, now: string): Promise<number> {
  const began = performance.now();
  let token = "";
  do {
    const { url, ...init } = query({ StartTime: now, EndTime: now, ...(token === "" ? {} : { NextToken: token }) });
    const body = Buffer.from(await (await fetch(url, init)).arrayBuffer());
    token = /<nextToken>([^<]*)</.exec(body.subarray(-1_024).toString())?.[1] ?? "";
  } while (token !== "");
  return performance.now() - began;
}

async function latency({ generators, readings, options }: Bench, name: MetricName, request: RequestParts) {
  const { port } = request.url;
  const job = { ...timed(options.seconds), port: Number(port), requests: [rawRequest(request)], status: 200 };
  readings.add(name, backlot, (await generators.http.run({ ...job, connections: 1 })).p50);
}
