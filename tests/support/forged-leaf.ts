/** A server that shows a leaf for a name the local authority may not sign for, signed by it all the same. */
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { openCertificates } from "../../emulators/kernel/certificates.ts";
import { createClock } from "../../emulators/kernel/clock.ts";
import { domains } from "../../emulators/suite/registry.ts";
import { temporaryFolder } from "./command.ts";

export async function serveNamed(name: string): Promise<{ port: number; caPath: string; caPem: string }> {
  const certificates = openCertificates(temporaryFolder(), [...domains, "localhost"], createClock({ mode: "real" }, 1));
  const server = createServer(certificates.leafFor(name), (_, outgoing) => void outgoing.end("trusted")).listen(
    0,
    "127.0.0.1",
  );
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, caPath: certificates.caPath, caPem: certificates.caPem };
}
