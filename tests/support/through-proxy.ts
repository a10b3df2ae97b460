/** A client's side of a forward proxy, byte by byte: CONNECT, TLS inside it, and requests that no library would send. */
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

export interface Tunnel {
  readonly status: number;
  /** What came instead of a tunnel. */
  readonly body: string;
  readonly socket: Socket;
}

export function openTunnel(proxyUrl: string, authority: string, headers: Record<string, string> = {}): Promise<Tunnel> {
  const { hostname, port } = new URL(proxyUrl);
  return new Promise((resolve, reject) => {
    const sent = request({ host: hostname, port, method: "CONNECT", path: authority, headers, agent: false });
    sent.on("error", reject);
    sent.on("connect", (response, socket, head) => {
      const status = response.statusCode ?? 0;
      if (status === 200) return resolve({ status, body: "", socket });
      let body = head.toString();
      socket.on("data", (chunk) => {
        body += String(chunk);
      });
      socket.on("close", () => resolve({ status, body, socket }));
      socket.on("error", reject);
    });
    sent.end();
  });
}

export function secure(socket: Socket, servername: string, ca: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const tls = connectTls({ socket, servername, ca });
    tls.once("secureConnect", () => resolve(tls));
    tls.once("error", reject);
  });
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** One request on a connection that is open; the connection stays open after it. */
export function ask(
  socket: Socket,
  path: string,
  options: {
    readonly host: string;
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  },
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request({
      createConnection: () => socket,
      method: options.method ?? "GET",
      path,
      headers: { host: options.host, connection: "keep-alive", ...options.headers },
    });
    sent.on("error", reject);
    sent.on("response", (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += String(chunk);
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      response.on("error", reject);
    });
    sent.end(options.body);
  });
}

/** Sends bytes and gives back everything that came until the other side closed. */
export function sendRaw(port: number, bytes: string | Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (chunk: Buffer) => parts.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(parts)));
  });
}
