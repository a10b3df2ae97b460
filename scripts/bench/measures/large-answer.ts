/** One large answer, from Backlot and from its floor. */
import { type RequestParts, rawRequest } from "../load/request.ts";
import { backlot, type MetricName, metric } from "../metrics.ts";
import { type Command, startServer } from "../server-process.ts";
import { withConstantFloor } from "./constant-floor.ts";
import { type Bench, timed } from "./measure.ts";

export interface LargeAnswer {
  readonly request: RequestParts;
  /** One connection, p50. */
  readonly latency: MetricName;
  /** 16 connections, answers per second. */
  readonly rate?: MetricName;
  /** A server that works its answer out; without one the floor has the same bytes ready. */
  readonly floor?: Command;
  /** Looks whether the answer is what is to be measured; the text of the problem if not. */
  check(body: string): string | undefined;
}

export async function measureLargeAnswer(bench: Bench, answer: LargeAnswer): Promise<void> {
  const { url, method, headers, body: sent } = answer.request;
  const response = await fetch(url, {
    method,
    ...(headers ? { headers } : {}),
    ...(sent === undefined ? {} : { body: sent }),
  });
  const body = await response.text();
  const problem = response.status === 200 ? answer.check(body) : `status ${response.status}`;
  if (problem !== undefined) throw new Error(`${url}: ${problem}\n${body.slice(0, 500)}`);
  const contentType = response.headers.get("content-type") ?? "text/plain";
  const loadFloor = (origin: string) =>
    load(bench, answer, metric(answer.latency).floor ?? "", new URL(url.pathname + url.search, origin));
  if (answer.floor === undefined) await withConstantFloor(body, contentType, loadFloor);
  else {
    const server = await startServer(answer.floor);
    const { port } = JSON.parse(server.readyLine) as { port: number };
    await loadFloor(`http://127.0.0.1:${port}`);
    await server.stop();
  }
  await load(bench, answer, backlot, url);
}

async function load(
  { generators, readings, options }: Bench,
  answer: LargeAnswer,
  subject: string,
  url: URL,
): Promise<void> {
  const job = {
    ...timed(options.seconds),
    port: Number(url.port),
    requests: [rawRequest({ ...answer.request, url })],
    status: 200,
  };
  readings.add(answer.latency, subject, (await generators.http.run({ ...job, connections: 1 })).p50);
  if (answer.rate !== undefined)
    readings.add(answer.rate, subject, (await generators.http.run({ ...job, connections: 16 })).perSecond);
}
