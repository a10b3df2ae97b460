import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { backlotCommand, startBacklot } from "../backlot.ts";
import type { RequestParts } from "../load/request.ts";
import { rawRequest } from "../load/request.ts";
import { createResponseReader } from "../load/response-reader.ts";
import { backlot, type MetricName } from "../metrics.ts";
import { quiet, script } from "../server-process.ts";
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
  // The connection is there, and what Backlot does ahead after its start is done.
  await (await fetch(new URL("/health", server.services["ec2-spot"]?.url ?? ""))).text();
  await sleep(1_000);
  await quiet(server.pid);
  bench.readings.add("spotSweep", `${backlot}, the first`, await sweep(query, now));
  bench.readings.add("spotSweep", `${backlot}, the second`, await sweep(query, now));
  await measureLargeAnswer(bench, {
    latency: "spotPage",
    rate: "spotRate",
    request: query({}),
    floor: script("floors/spot-generator.ts"),
    check(body) {
      const items = body.split("<item>").length - 1;
      return items === 1000 ? undefined : `${items} items instead of 1,000`;
    },
  });
  const pool = { "InstanceType.1": "m5.large", "ProductDescription.1": "Linux/UNIX", AvailabilityZone: "us-east-1b" };
  await latency(bench, "spotPool", query(pool));
  await server.stop();
}

/** Milliseconds for the current price of every pool of the region, page after page on one connection. */
async function sweep(query: Query, now: string): Promise<number> {
  const { url } = query({});
  const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  await once(socket, "connect");
  const began = performance.now();
  let token = "";
  do {
    const page = query({ StartTime: now, EndTime: now, ...(token === "" ? {} : { NextToken: token }) });
    token = /<nextToken>([^<]*)</.exec(await lastOf(socket, rawRequest(page)))?.[1] ?? "";
  } while (token !== "");
  const took = performance.now() - began;
  socket.destroy();
  return took;
}

/** The end of the answer to one request. The rest is counted, not kept: a client's own work is not what is measured. */
function lastOf(socket: Socket, request: string): Promise<string> {
  const read = createResponseReader();
  let last = "";
  return new Promise((resolve, reject) => {
    const take = (chunk: Buffer) => {
      last = (last + chunk.toString("latin1", Math.max(0, chunk.length - 1_024))).slice(-1_024);
      const response = read(chunk);
      if (!response) return;
      socket.off("data", take).off("error", reject);
      if (response.status === 200) resolve(last);
      else reject(new Error(`status ${response.status}: ${response.start}`));
    };
    socket.on("data", take).once("error", reject);
    socket.write(request, "latin1");
  });
}

async function latency({ generators, readings, options }: Bench, name: MetricName, request: RequestParts) {
  const { port } = request.url;
  const job = { ...timed(options.seconds), port: Number(port), requests: [rawRequest(request)], status: 200 };
  readings.add(name, backlot, (await generators.http.run({ ...job, connections: 1 })).p50);
}
