/** Where this process connects while a run is recorded, and whether it could connect elsewhere at all. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { lookup } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { afterReal } from "../../kernel/clock.ts";
import { isLoopback } from "../../kernel/egress.ts";

export interface ConnectionWatch {
  /**
   * Addresses with their ports, in order, each once, that are neither on loopback nor one of these hosts: services that
   * run in containers of their own.
   */
  elsewhere(hosts: Iterable<string>): Promise<readonly string[]>;
  close(): void;
}

/** Node publishes every client socket here before it connects, those of fetch, http and TLS included. */
const channel = "net.client.socket";

export function watchConnections(): ConnectionWatch {
  const tried = new Map<string, string>();
  const look = (message: unknown) => {
    const { socket } = message as { readonly socket: Socket };
    socket.on("connectionAttempt", (address: string, port: number) => {
      if (!isLoopback(address)) tried.set(`${address} port ${port}`, address);
    });
  };
  subscribe(channel, look);
  return {
    async elsewhere(hosts) {
      if (tried.size === 0) return [];
      const found = await Promise.all([...new Set(hosts)].map((host) => lookup(host, { all: true }).catch(() => [])));
      const ours = new Set(found.flat().map(({ address }) => address));
      return [...tried].flatMap(([shown, address]) => (ours.has(address) ? [] : [shown])).sort();
    },
    close: () => void unsubscribe(channel, look),
  };
}

/** TEST-NET-1 (RFC 5737) and a name that no resolver knows (RFC 6761): nobody is there, and a sandbox has no way there. */
const canaryAddress = { host: "192.0.2.1", port: 443 };
const canaryName = "canary.invalid";
const patienceMs = 2_000;

/** Interfaces besides loopback. Where there is one, a canary would leave the machine: none is released. */
export function waysOut(): readonly string[] {
  return Object.entries(networkInterfaces())
    .filter(([, addresses]) => addresses?.some(({ internal }) => !internal))
    .map(([name]) => name);
}

/** What became of the attempts to leave: codes such as ENETUNREACH. */
export async function releaseCanary(): Promise<Readonly<Record<"address" | "name", string>>> {
  return {
    address: await new Promise((resolve) => {
      const socket = connect(canaryAddress, () => end("connected"));
      const cancel = afterReal(patienceMs, () => end("ETIMEDOUT"));
      const end = (result: string) => {
        cancel();
        socket.destroy();
        resolve(result);
      };
      socket.on("error", (cause: NodeJS.ErrnoException) => end(cause.code ?? cause.message));
    }),
    name: await lookup(canaryName).then(
      ({ address }) => `resolved to ${address}`,
      (cause: NodeJS.ErrnoException) => cause.code ?? cause.message,
    ),
  };
}
