/** A viewer of the live journal over a socket: keeps what it saw, waits for what a test expects. */
import { get, type IncomingMessage } from "node:http";
import { onTestFinished } from "vitest";

export interface Seen {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

export interface Viewer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** Events with data, in the order they came. */
  readonly seen: readonly Seen[];
  /** The last id of all, positions without data included: what a browser sends as Last-Event-ID. */
  readonly lastId: string;
  readonly ended: boolean;
  until(enough: (seen: readonly Seen[]) => boolean, mostMs?: number): Promise<void>;
  pause(): void;
  resume(): void;
  close(): void;
}

export async function watch(url: string, headers: Record<string, string> = {}): Promise<Viewer> {
  const seen: Seen[] = [];
  const waiters = new Set<() => void>();
  let lastId = "";
  let ended = false;
  let rest = "";
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { headers: { accept: "text/event-stream", ...headers }, agent: false }, resolve).on("error", reject);
  });
  const told = () => {
    for (const waiter of [...waiters]) waiter();
  };
  response.setEncoding("utf8");
  response.on("data", (chunk: string) => {
    rest += chunk;
    const blocks = rest.split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const field = (name: string) =>
        block
          .split("\n")
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      lastId = field("id") ?? lastId;
      const data = field("data");
      if (data !== undefined) seen.push({ id: lastId, event: field("event") ?? "message", data: JSON.parse(data) });
    }
    told();
  });
  const end = () => {
    ended = true;
    told();
  };
  response.on("close", end);
  response.on("error", end);
  const viewer: Viewer = {
    status: response.statusCode ?? 0,
    headers: response.headers,
    seen,
    get lastId() {
      return lastId;
    },
    get ended() {
      return ended;
    },
    until: (enough, mostMs = 5_000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiters.delete(look);
          reject(
            new Error(`not seen in ${mostMs} ms; ${seen.length} events came, the last ${JSON.stringify(seen.at(-1))}`),
          );
        }, mostMs);
        const look = () => {
          if (!enough(seen)) return;
          clearTimeout(timer);
          waiters.delete(look);
          resolve();
        };
        waiters.add(look);
        look();
      }),
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => void response.destroy(),
  };
  onTestFinished(() => viewer.close());
  return viewer;
}
