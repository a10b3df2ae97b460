/** A viewer of the live journal over a socket: keeps what it saw, waits for what a test expects. */
import { get, type IncomingMessage } from "node:http";
import { onTestFinished } from "vitest";
import WebSocket from "ws";

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
  const sight = newSight();
  let rest = "";
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { headers: { accept: "text/event-stream", ...headers }, agent: false }, resolve).on("error", reject);
  });
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
      const data = field("data");
      sight.saw(field("id"), field("event"), data === undefined ? undefined : JSON.parse(data));
    }
    sight.told();
  });
  response.on("close", sight.end);
  response.on("error", sight.end);
  return sight.viewer({
    status: response.statusCode ?? 0,
    headers: response.headers,
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => void response.destroy(),
  });
}

/** The same over WebSocket; where to go on from stands in the URL (`since`). */
export async function watchSocket(url: string): Promise<Viewer> {
  const sight = newSight();
  const socket = new WebSocket(url.replace(/^http/, "ws"));
  socket.on("message", (text) => {
    const { id, event, data } = JSON.parse(String(text)) as { id: string; event: string; data: Seen["data"] | null };
    sight.saw(id, event, data ?? undefined);
    sight.told();
  });
  socket.on("close", sight.end);
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  return sight.viewer({
    status: 101,
    headers: {},
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => socket.terminate(),
  });
}

/** What came over either way. */
function newSight() {
  const seen: Seen[] = [];
  const waiters = new Set<() => void>();
  let lastId = "";
  let ended = false;
  const told = () => {
    for (const waiter of [...waiters]) waiter();
  };
  const until: Viewer["until"] = (enough, mostMs = 5_000) =>
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
    });
  return {
    told,
    saw(id: string | undefined, event: string | undefined, data: Seen["data"] | undefined): void {
      lastId = id ?? lastId;
      if (data !== undefined) seen.push({ id: lastId, event: event ?? "message", data });
    },
    end(): void {
      ended = true;
      told();
    },
    viewer(line: Pick<Viewer, "status" | "headers" | "pause" | "resume" | "close">): Viewer {
      onTestFinished(() => line.close());
      return {
        ...line,
        seen,
        until,
        get lastId() {
          return lastId;
        },
        get ended() {
          return ended;
        },
      };
    },
  };
}
