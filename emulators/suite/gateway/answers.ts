/** What the gateway itself says, on a bare socket or through Node's response. */
import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { endSoon } from "../../kernel/serve.ts";

export interface Refusal {
  readonly error: string;
  readonly message: string;
  readonly hint?: string;
}

const headers = { "content-type": "application/json", "x-backlot": "gateway" };

export function answerRefusal(outgoing: ServerResponse, status: number, refusal: Refusal): void {
  if (outgoing.headersSent) {
    outgoing.destroy();
    return;
  }
  const body = bodyOf(refusal);
  // Whatever is left of the request's body is not waited for.
  outgoing.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body), connection: "close" });
  outgoing.end(body);
}

/** For CONNECT and upgrades, where Node hands out the socket. */
export function writeRefusal(socket: Duplex, status: number, refusal: Refusal): void {
  const body = bodyOf(refusal);
  const lines = Object.entries({ ...headers, "content-length": Buffer.byteLength(body), connection: "close" });
  endSoon(
    socket,
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`,
  );
}

function bodyOf(refusal: Refusal): string {
  const { error, message, hint } = refusal;
  return `${JSON.stringify({ error: `backlot.${error}`, message, hint })}\n`;
}
