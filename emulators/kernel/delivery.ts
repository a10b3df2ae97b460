/** One attempt over the network: signed bytes out, an outcome back. Deadlines are real time; redirects are never followed. */
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { afterReal, stopwatch } from "./clock.ts";
import type { Target } from "./egress.ts";
import type { Outcome } from "./webhook.ts";

export interface Sent {
  readonly outcome: Outcome;
  readonly headers: Readonly<IncomingHttpHeaders>;
  /** First 64 KiB of the answer. */
  readonly body: Buffer;
  /** As its Content-Length says, or what was read of it. */
  readonly bodyBytes: number;
  readonly wallMs: number;
}

export interface Sender {
  send(request: {
    readonly method: string;
    readonly url: URL;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Buffer;
    readonly target: Target;
    readonly connectMs: number;
    readonly totalMs: number;
  }): Promise<Sent>;
  close(): void;
}

const keptBytes = 64 * 1024;
/** Reading of an answer ends here: its status has said what counts, and megabytes would cost everybody else. */
const mostBytes = 256 * 1024;

export function createSender(): Sender {
  const agents = {
    "http:": new HttpAgent({ keepAlive: true, maxFreeSockets: 16 }),
    "https:": new HttpsAgent({ keepAlive: true, maxFreeSockets: 16 }),
  };
  return {
    send: ({ method, url, headers, body, target, connectMs, totalMs }) =>
      new Promise((resolve) => {
        const elapsed = stopwatch();
        const chunks: Buffer[] = [];
        let bytes = 0;
        let answered: IncomingHttpHeaders = {};
        let ended = false;
        const end = (outcome: Outcome) => {
          if (ended) return;
          ended = true;
          cancelTotal();
          cancelConnect();
          const bodyBytes = Math.max(bytes, Number(answered["content-length"]) || 0);
          resolve({ outcome, headers: answered, body: Buffer.concat(chunks), bodyBytes, wallMs: elapsed() });
        };
        const secure = url.protocol === "https:";
        const outgoing = (secure ? httpsRequest : httpRequest)(url, {
          method,
          headers: method === "GET" ? headers : { ...headers, "content-length": String(body.length) },
          agent: agents[secure ? "https:" : "http:"],
          ...(target.port === undefined ? {} : { port: target.port }),
          lookup: (_name, options, callback) => {
            const first = target.addresses[0];
            if (options.all) callback(null, [...target.addresses]);
            else callback(null, first?.address ?? "", first?.family ?? 4);
          },
        });
        const failed = (reason: Extract<Outcome, { tag: "failed" }>["reason"], detail: string) => {
          end({ tag: "failed", reason, detail });
          outgoing.destroy();
        };
        const cancelTotal = afterReal(totalMs, () => failed("timeout", `no complete answer in ${totalMs} ms`));
        const cancelConnect = afterReal(connectMs, () => {
          if (outgoing.socket === null || outgoing.socket.connecting)
            failed("connect", `no connection in ${connectMs} ms`);
        });
        outgoing.on("error", (cause: NodeJS.ErrnoException) =>
          failed(reasonOf(cause), cause.message || String(cause.code)),
        );
        outgoing.on("response", (incoming) => {
          answered = incoming.headers;
          const judged = (): Outcome => {
            const status = incoming.statusCode ?? 0;
            if (status >= 200 && status < 300) return { tag: "delivered", status };
            const retryAfterMs = retryAfter(incoming.headers["retry-after"], incoming.headers.date);
            return { tag: "answered", status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
          };
          incoming.on("data", (chunk: Buffer) => {
            // A copy: a slice would keep the whole chunk alive.
            if (bytes < keptBytes) chunks.push(Buffer.from(chunk.subarray(0, keptBytes - bytes)));
            bytes += chunk.length;
            if (bytes <= mostBytes) return;
            end(judged());
            outgoing.destroy();
          });
          incoming.on("error", (cause: NodeJS.ErrnoException) => failed("reset", cause.message));
          incoming.on("end", () => end(judged()));
        });
        outgoing.end(method === "GET" ? undefined : body);
      }),
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

function reasonOf(cause: NodeJS.ErrnoException): Extract<Outcome, { tag: "failed" }>["reason"] {
  const code = cause.code ?? "";
  if (code === "ECONNREFUSED" || code === "EHOSTUNREACH" || code === "ENETUNREACH" || code === "EADDRNOTAVAIL")
    return "connect";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "dns";
  if (code === "ETIMEDOUT") return "timeout";
  if (code.startsWith("ERR_TLS") || code.startsWith("ERR_SSL") || /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code))
    return "tls";
  return "reset";
}

/** Seconds, or an HTTP date measured against the answer's own Date. */
function retryAfter(value: string | undefined, date: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const [until, from] = [Date.parse(value), Date.parse(date ?? "")];
  return Number.isNaN(until) || Number.isNaN(from) ? undefined : Math.max(0, until - from);
}
