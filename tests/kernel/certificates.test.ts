import { mkdtempSync, rmSync, statSync } from "node:fs";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer, type TLSSocket } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { openCertificates } from "../../emulators/kernel/certificates.ts";
import { createClock } from "../../emulators/kernel/clock.ts";
import { serve } from "../../emulators/kernel/serve.ts";

const wall = createClock({ mode: "real" }, 1);

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "backlot-ca-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** The error a TLS client ends with, or `ok`. */
async function handshake(leaf: { key: string; cert: string }, ca: string, servername: string): Promise<string> {
  const server = createServer(leaf).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  server.on("tlsClientError", () => {});
  const result = await new Promise<string>((resolve) => {
    const socket: TLSSocket = connect(
      { port: (server.address() as AddressInfo).port, host: "127.0.0.1", servername, ca },
      () => resolve("ok"),
    );
    socket.on("error", (cause: NodeJS.ErrnoException) => resolve(cause.message));
    socket.on("secureConnect", () => socket.end());
  });
  server.close();
  return result;
}

test("leaves are accepted for permitted names and refused for any other", async () => {
  const certificates = openCertificates(folder(), ["twilio.com", "localhost"], wall);
  expect(await handshake(certificates.leafFor("api.twilio.com"), certificates.caPem, "api.twilio.com")).toBe("ok");
  expect(await handshake(certificates.leafFor("localhost"), certificates.caPem, "localhost")).toBe("ok");
  expect(await handshake(certificates.leafFor("example.com"), certificates.caPem, "example.com")).toBe(
    "permitted subtree violation",
  );
});

test("the key is readable by its owner only, and the authority is kept", () => {
  const path = folder();
  const one = openCertificates(path, ["twilio.com"], wall);
  expect(statSync(join(path, "ca-key.pem")).mode & 0o777).toBe(0o600);
  expect(openCertificates(path, ["twilio.com"], wall).caPem).toBe(one.caPem);
  const wider = openCertificates(path, ["twilio.com", "amazonaws.com"], wall);
  expect(wider.caPem).not.toBe(one.caPem);
  expect(openCertificates(path, ["twilio.com"], wall).caPem).toBe(wider.caPem);
});

test("a client that trusts the older certificate keeps working for its names", async () => {
  const path = folder();
  const older = openCertificates(path, ["twilio.com"], wall).caPem;
  const wider = openCertificates(path, ["twilio.com", "amazonaws.com"], wall);
  const own = (leaf: { key: string; cert: string }) => ({
    key: leaf.key,
    cert: leaf.cert.slice(0, leaf.cert.indexOf("-----END CERTIFICATE-----") + 26),
  });
  expect(await handshake(own(wider.leafFor("api.twilio.com")), older, "api.twilio.com")).toBe("ok");
});

test("an HTTPS server answers by address and by name", async () => {
  const certificates = openCertificates(folder(), ["twilio.com", "localhost"], wall);
  const served = await serve({
    host: "127.0.0.1",
    port: 0,
    certificates,
    setting: "X",
    handle: (_, outgoing) => void outgoing.end("hello"),
  });
  onTestFinished(() => served.close(100));
  const get = (servername: string | undefined) =>
    new Promise<string>((resolve, reject) => {
      request(
        {
          host: "127.0.0.1",
          port: served.port,
          ca: certificates.caPem,
          ...(servername === undefined ? {} : { servername }),
        },
        (response) => response.on("data", (chunk: Buffer) => resolve(chunk.toString())),
      )
        .on("error", reject)
        .end();
    });
  expect(await get(undefined)).toBe("hello");
  expect(await get("verify.twilio.com")).toBe("hello");
});
