/**
 * The gateway's two ports: a forward proxy, and TLS told apart by SNI. They open with the suite; what stands behind them
 * is loaded with the first connection, because many runs have none.
 */
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Certificates } from "../../kernel/certificates.ts";
import type { Journal } from "../../kernel/journal.ts";
import type { Log } from "../../kernel/log.ts";
import { limits, listen, refuseUnusable } from "../../kernel/serve.ts";
import { definitions } from "../../kernel/setting-definitions.ts";
import { reachableHost } from "../../kernel/settings.ts";
import type { RunningEmulator } from "../../kernel/start.ts";
import { createAllowance } from "./allowance.ts";
import type { Engine } from "./engine.ts";
import type { Resolve } from "./guard.ts";
import { clientOf, createLedger, type Ledger } from "./ledger.ts";

export interface GatewayOptions {
  /** Address to listen on. */
  readonly host: string;
  /** 0 picks a free port, undefined opens none. */
  readonly proxyPort: number | undefined;
  readonly tlsPort: number | undefined;
  /** BACKLOT_EGRESS_ALLOW. */
  readonly allow: readonly string[];
  readonly emulators: readonly RunningEmulator[];
  /** Base URLs of emulators in other processes, by name. */
  readonly attached: ReadonlyMap<string, string>;
  readonly certificates: () => Certificates;
  readonly journal: Journal;
  readonly log: Log;
  /** For tests: another look-up, and other waits in milliseconds than 10 s for a beginning, 10 s to connect, 5 min idle. */
  readonly resolve?: Resolve;
  readonly waits?: { readonly helloMs?: number; readonly connectMs?: number; readonly idleMs?: number };
}

export interface Gateway {
  readonly proxyUrl: string | undefined;
  readonly tlsPort: number | undefined;
  readonly ledger: Ledger;
  /** Connections that are open now. */
  readonly connections: number;
  /** Closes the ports and cuts what is open: a tunnel has no natural end. */
  close(): Promise<void>;
}

/** @throws AllowanceError, ListenError */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  createAllowance(options.allow); // an entry that cannot be used is told at the start, not at the first connection
  const ledger = createLedger(options.journal);
  const unwatch = options.emulators.map(({ runtime }) => ledger.watch(runtime.journal));
  const waits = { helloMs: 10_000, connectMs: 10_000, idleMs: 300_000, ...options.waits };
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  let engine: Promise<Engine> | undefined;
  const started = () => {
    engine ??= import("./engine.ts").then(({ createEngine }) => createEngine(options, ledger, waits));
    return engine;
  };
  const failed = (socket: { destroy(): unknown }) => (cause: unknown) => {
    options.log.error({ cause: cause instanceof Error ? cause.stack : String(cause) }, "the gateway failed");
    socket.destroy();
  };
  const open = async (server: Server, port: number, setting: string) => {
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("close", () => sockets.delete(socket));
    });
    await listen(server, { host: options.host, port, setting });
    servers.push(server);
    return (server.address() as AddressInfo).port;
  };
  const close = async () => {
    for (const stop of unwatch) stop();
    const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const socket of sockets) socket.destroy();
    (await engine)?.close();
    await Promise.all(closed);
  };

  const proxy = createHttpServer({
    ...limits,
    // HTTP/1.0 clients and older Python send CONNECT without a Host header.
    requireHostHeader: false,
    shouldUpgradeCallback: ({ headers }) => headers.upgrade !== undefined,
  });
  proxy.on(
    "request",
    (incoming, outgoing) =>
      void started()
        .then((to) => to.proxy.request(incoming, outgoing))
        .catch(failed(outgoing)),
  );
  proxy.on(
    "connect",
    (incoming, socket: Socket, head) =>
      void started()
        .then((to) => to.proxy.connect(incoming, socket, head))
        .catch(failed(socket)),
  );
  proxy.on(
    "upgrade",
    (incoming, socket: Socket, head) =>
      void started()
        .then((to) => to.proxy.upgrade(incoming, socket, head))
        .catch(failed(socket)),
  );
  proxy.on("clientError", (cause: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) => {
    if (cause.code !== "ECONNRESET")
      options.journal.append("request", undefined, {
        method: "?",
        target: cause.rawPacket?.subarray(0, 200).toString("latin1") ?? "",
        remote: clientOf(socket),
        status: 400,
        refused: cause.code ?? cause.message,
        by: "gateway",
      });
    refuseUnusable(cause, socket);
  });
  const tls = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    void started()
      .then((to) => to.tls.bySni(socket))
      .catch(failed(socket));
  });
  try {
    const proxyPort =
      options.proxyPort === undefined ? undefined : await open(proxy, options.proxyPort, definitions.proxyPort.env);
    const tlsPort =
      options.tlsPort === undefined ? undefined : await open(tls, options.tlsPort, definitions.tlsPort.env);
    return {
      proxyUrl: proxyPort === undefined ? undefined : `http://${reachableHost(options.host)}:${proxyPort}`,
      tlsPort,
      ledger,
      get connections() {
        return sockets.size;
      },
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}
