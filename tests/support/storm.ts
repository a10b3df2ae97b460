/**
 * What a storm of webhooks meets: receivers that are healthy, slow, flapping, redirecting, oversized, hanging or dead, all
 * on one port, told apart by path.
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const behaviours = ["healthy", "slow", "flapping", "redirecting", "oversized", "hanging", "dead"] as const;
export type Behaviour = (typeof behaviours)[number];

export interface Call {
  readonly behaviour: string;
  readonly webhookId: string;
  readonly resource: string;
  readonly seq: number;
  /** 0 when the receiver did not answer at all. */
  readonly status: number;
}

export interface StormReceivers {
  readonly origin: string;
  readonly calls: readonly Call[];
  /** Everything answers 200 at once from now on. */
  heal(): void;
  close(): Promise<void>;
}

const oversized = Buffer.alloc(4 * 1024 * 1024, "x");

export async function startStormReceivers(): Promise<StormReceivers> {
  const calls: Call[] = [];
  const tries = new Map<string, number>();
  let healed = false;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const behaviour = (request.url ?? "").slice(1);
      const webhookId = String(request.headers["webhook-id"]);
      const { data } = JSON.parse(Buffer.concat(chunks).toString()) as { data: { id: string; seq?: number } };
      const key = `${behaviour} ${webhookId}`;
      const n = (tries.get(key) ?? 0) + 1;
      tries.set(key, n);
      const status = healed ? 200 : statusOf(behaviour, webhookId, n);
      calls.push({ behaviour, webhookId, resource: data.id, seq: data.seq ?? 0, status });
      answer(healed ? "healthy" : behaviour, status, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    heal() {
      healed = true;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function statusOf(behaviour: string, webhookId: string, n: number): number {
  if (behaviour === "redirecting") return 302;
  if (behaviour === "hanging" || behaviour === "dead") return 0;
  // The last character of an id says how often this event fails first: 0 to 3 times.
  if (behaviour === "flapping") return n > (webhookId.codePointAt(webhookId.length - 1) ?? 0) % 4 ? 200 : 503;
  return 200;
}

function answer(behaviour: string, status: number, response: ServerResponse): void {
  if (behaviour === "dead") response.socket?.resetAndDestroy();
  if (status === 0) return;
  if (behaviour === "slow") {
    setTimeout(() => response.writeHead(status).end(), 20 + ((response.socket?.remotePort ?? 0) % 60));
    return;
  }
  response.writeHead(status, status === 302 ? { location: "/followed" } : {});
  response.on("error", () => {}); // whoever stops reading an oversized answer is in the right
  response.end(behaviour === "oversized" ? oversized : undefined);
}

/**
 * What broke the order of a resource, and what was sent again after a success. The order at a hanging receiver says
 * nothing: it may come to read a request that was given up long ago.
 */
export function judge(calls: readonly Call[]): {
  readonly disordered: readonly string[];
  readonly again: readonly string[];
} {
  const reached = new Map<string, number>();
  const succeeded = new Set<string>();
  const [disordered, again]: [string[], string[]] = [[], []];
  for (const { behaviour, webhookId, resource, seq, status } of calls) {
    const [lane, event] = [`${behaviour} ${resource}`, `${behaviour} ${webhookId}`];
    if (behaviour !== "hanging" && seq < (reached.get(lane) ?? 0))
      disordered.push(`${lane}: ${seq} after ${reached.get(lane)}`);
    reached.set(lane, Math.max(seq, reached.get(lane) ?? 0));
    if (succeeded.has(event)) again.push(event);
    if (status === 200) succeeded.add(event);
  }
  return { disordered, again };
}
