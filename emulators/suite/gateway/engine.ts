/** The gateway behind its ports, loaded with the first connection: proxy, TLS end, guard and forwarder, wired. */
import { createServer, type Server } from "node:http";
import { limits, refuseUnusable } from "../../kernel/serve.ts";
import { createAllowance } from "./allowance.ts";
import { createForwarder } from "./forward.ts";
import type { GatewayOptions } from "./gateway.ts";
import { createGuard } from "./guard.ts";
import { clientOf, type Ledger } from "./ledger.ts";
import { createProxy, type ForwardProxy } from "./proxy.ts";
import { createRouting } from "./routing.ts";
import { createTlsEnd, type Emulated, type TlsEnd } from "./tls.ts";

export interface Engine {
  readonly proxy: ForwardProxy;
  readonly tls: TlsEnd;
  close(): void;
}

export function createEngine(
  options: GatewayOptions,
  ledger: Ledger,
  waits: Required<NonNullable<GatewayOptions["waits"]>>,
): Engine {
  const { journal, certificates } = options;
  const routing = createRouting(options.emulators, options.attached);
  const forwarder = createForwarder(waits);
  const assigned = new WeakMap<object, Emulated>();
  const handed = new WeakSet<object>();
  const watched = new Map<Server, (cause: NodeJS.ErrnoException, socket: object) => void>();
  const unusable = (remote: string, method: string, target: string, reason: string) =>
    journal.append("request", undefined, { method, target, remote, status: 400, refused: reason, by: "gateway" });

  const front = createServer({ ...limits, shouldUpgradeCallback: ({ headers }) => headers.upgrade !== undefined });
  front.on("clientError", (cause: NodeJS.ErrnoException, socket) => {
    noteUnusable(cause, socket);
    refuseUnusable(cause, socket);
  });
  const noteUnusable = (cause: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket: object) => {
    if (cause.code === "ECONNRESET") return;
    const first = cause.rawPacket?.subarray(0, 200).toString("latin1") ?? "";
    unusable(clientOf(socket), "?", first, cause.code ?? cause.message);
  };
  const tls = createTlsEnd({
    certificates,
    routing,
    front,
    helloMs: waits.helloMs,
    assign: (socket, to) => assigned.set(socket, to),
    handed(socket, server) {
      handed.add(socket);
      if (watched.has(server)) return;
      const note = (cause: NodeJS.ErrnoException, from: object) => {
        if (handed.has(from)) noteUnusable(cause, from);
      };
      watched.set(server, note);
      server.on("clientError", note);
    },
    refused(socket, host, reason) {
      const remote = clientOf(socket);
      if (host !== undefined && reason.endsWith("is not emulated"))
        ledger.refused({ host, port: 443, method: "TLS", client: remote, reason });
      else
        journal.append("request", undefined, {
          method: "TLS",
          host,
          remote,
          status: 0,
          refused: reason,
          by: "gateway",
        });
    },
  });
  const proxy = createProxy({
    routing,
    guard: createGuard(createAllowance(options.allow), options.resolve),
    ledger,
    forwarder,
    tls,
    ca: () => certificates().caPem,
    unusable,
    ...waits,
  });
  front.on("request", (incoming, outgoing) => {
    const to = assigned.get(incoming.socket);
    if (to) proxy.apart(to, incoming, outgoing);
    else outgoing.destroy();
  });
  front.on("upgrade", (incoming, socket, head) => {
    const to = assigned.get(incoming.socket);
    if (to) proxy.apartUpgrade(to, incoming, socket, head);
    else socket.destroy();
  });
  return {
    proxy,
    tls,
    close() {
      forwarder.close();
      for (const [server, note] of watched) server.off("clientError", note);
    },
  };
}
