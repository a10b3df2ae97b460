/** How an answer leaves when a planned fault spoils it: on a socket, and the same as a caller of `fetch` sees it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { afterReal } from "./clock.ts";
import { type Answered, inOnePiece } from "./exchange.ts";

export type Departure =
  | { readonly tag: "reset" }
  /** Breaks the connection after this many bytes of the body. */
  | { readonly tag: "truncate"; readonly bytes: number }
  /** Headers, then nothing for this span of real time. */
  | { readonly tag: "stall"; readonly mostMs: number };

export function departOnSocket(
  departure: Departure,
  answered: Answered | undefined,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const { socket } = incoming;
  if (departure.tag === "reset" || !answered) {
    // TLS has no reset of its own: there the connection closes without the closing alert.
    if (socket instanceof Socket && !(socket instanceof TLSSocket)) socket.resetAndDestroy();
    else socket.destroy();
    return;
  }
  const { status, headers, body } = answered;
  const whole = wholeOf(body);
  const length = whole?.byteLength;
  outgoing.on("error", () => {}); // the client may be the first to go: that is what was planned
  outgoing.writeHead(status, length === undefined ? headers : { ...headers, "content-length": length });
  outgoing.flushHeaders();
  if (departure.tag === "stall") {
    const cut = afterReal(departure.mostMs, () => socket.destroy());
    outgoing.on("close", cut);
    return;
  }
  if (whole && departure.bytes > 0) outgoing.write(whole.subarray(0, departure.bytes));
  // What is written reaches the client before the end does.
  socket.destroySoon();
}

/** Rejects as `fetch` does when a connection breaks before the headers. */
export function departInProcess(departure: Departure, answered: Answered | undefined, signal: AbortSignal): Response {
  if (departure.tag === "reset" || !answered) throw broken("fetch failed");
  const { status, headers, body } = answered;
  if (body === null || status === 204 || status === 304) return new Response(null, { status, headers });
  const whole = wholeOf(body);
  let cut = () => {};
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        if (departure.tag === "truncate") {
          if (whole && departure.bytes > 0) controller.enqueue(whole.subarray(0, departure.bytes));
          return;
        }
        cut = afterReal(departure.mostMs, () => controller.error(broken("terminated")));
        signal.addEventListener("abort", () => {
          cut();
          controller.error(signal.reason);
        });
      },
      // Only once the reader has taken what there is: an error at once would discard it.
      pull(controller) {
        if (departure.tag === "truncate") controller.error(broken("terminated"));
      },
      cancel: () => cut(),
    },
    { highWaterMark: 0 },
  );
  const length = whole ? { "content-length": String(whole.byteLength) } : {};
  return new Response(stream, { status, headers: { ...headers, ...length } });
}

/** The bytes of the body; a stream is given up, so that nothing of it is sent. */
function wholeOf(body: Answered["body"]): Uint8Array | undefined {
  if (body instanceof ReadableStream) void body.cancel();
  if (body === null || body instanceof ReadableStream) return undefined;
  return typeof body === "string" ? Buffer.from(body) : inOnePiece(body);
}

function broken(message: string): TypeError {
  return new TypeError(message, {
    cause: Object.assign(new Error("a planned fault broke the connection"), { code: "ECONNRESET" }),
  });
}
