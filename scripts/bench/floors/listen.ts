/** Floors say where they listen as Backlot does: one JSON line. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

export function announce(address: AddressInfo | string | null): void {
  process.stdout.write(
    `${JSON.stringify({ port: address !== null && typeof address === "object" ? address.port : 0 })}\n`,
  );
  process.once("SIGTERM", () => process.exit());
}

export function listen(server: Server): void {
  server.listen(0, "127.0.0.1", () => announce(server.address()));
}
