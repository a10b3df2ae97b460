/**
 * Plain HTTP to a port that speaks TLS, as `http://` for `https://` brings it: told so in the clear, as nginx does, where
 * the connection would otherwise close without a word. Found by OpenSSL's own look at the first record, so that
 * connections that do speak TLS pay nothing.
 */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/** OpenSSL sends no alert in these cases: nothing has been said yet (ssl3_get_record, "Doesn't look like TLS"). */
const notTls = new Set(["ERR_SSL_HTTP_REQUEST", "ERR_SSL_HTTPS_PROXY_REQUEST", "ERR_SSL_WRONG_VERSION_NUMBER"]);

/** The connection below one whose handshake failed so; undefined where it did speak TLS. */
export function plainBelow(
  cause: NodeJS.ErrnoException,
  failed: Pick<TLSSocket, "remoteAddress" | "remotePort">,
  accepted: Iterable<Socket>,
): Socket | undefined {
  if (!notTls.has(cause.code ?? "") || failed.remotePort === undefined) return undefined;
  for (const socket of accepted)
    if (socket.remotePort === failed.remotePort && socket.remoteAddress === failed.remoteAddress) return socket;
  return undefined;
}

/** @param address where the same can be had, as the end of a sentence: `https://127.0.0.1:4102.` */
export function speaksTls(address: string): string {
  const body = `This port speaks TLS, and plain HTTP came. Use ${address}\n`;
  return `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
