/** What a port that speaks TLS says to those who do not, and how long it waits for them. */
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { openCertificates } from "../../emulators/kernel/certificates.ts";
import { createClock } from "../../emulators/kernel/clock.ts";
import { type Served, type ServeLimits, serve } from "../../emulators/kernel/serve.ts";
import { noSecondLoopback, testUnless } from "../support/tools.ts";

async function tlsServer(host = "127.0.0.1", limits: ServeLimits = {}): Promise<Served & { readonly ca: string }> {
  const folder = mkdtempSync(join(tmpdir(), "backlot-tls-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const certificates = openCertificates(folder, ["localhost"], createClock({ mode: "real" }, 1));
  const handle: Parameters<typeof serve>[0]["handle"] = (_, outgoing) => void outgoing.end("hello");
  const served = await serve({ host, port: 0, certificates, setting: "X", handle, limits });
  onTestFinished(() => served.close(100));
  return { ...served, ca: certificates.caPem };
}

/** All that comes back for some bytes, until the connection ends. */
function exchange(port: number, bytes: string | Buffer, host = "127.0.0.1"): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const socket = connect(port, host, () => socket.write(bytes));
    socket.on("data", (chunk) => {
      said += chunk.toString("latin1");
    });
    socket.on("close", () => resolve(said));
    socket.on("error", reject);
  });
}

test.each([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "CONNECT",
  "PRI",
])("%s in the clear is answered in the clear, with the address that works", async (method) => {
  const { port, ca } = await tlsServer();
  const said = await exchange(port, `${method} /subscriptions HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  expect(said).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  expect(said).toMatch(/\r\nContent-Type: text\/plain\r\n/);
  const address = / (https:\/\/\S+)\.\n$/.exec(said)?.[1] ?? "";
  const status = await new Promise((resolve, reject) =>
    request(address, { ca }, (response) => resolve(response.resume().statusCode))
      .on("error", reject)
      .end(),
  );
  expect([address, status]).toEqual([`https://127.0.0.1:${port}`, 200]);
});

test("fetch with a body of a megabyte is told so too", async () => {
  const { port } = await tlsServer();
  const answer = await fetch(`http://localhost:${port}/`, { method: "POST", body: "x".repeat(2 ** 20) });
  expect([answer.status, await answer.text()]).toEqual([
    400,
    `This port speaks TLS, and plain HTTP came. Use https://127.0.0.1:${port}.\n`,
  ]);
});

testUnless(noSecondLoopback, "who comes by another address of this machine is told that one", async () => {
  const { port } = await tlsServer("0.0.0.0");
  expect(await exchange(port, "GET / HTTP/1.1\r\n\r\n", "127.0.0.2")).toContain(`https://127.0.0.2:${port}.`);
});

test("who speaks TLS, but not well, gets TLS's own alert", async () => {
  const { port } = await tlsServer();
  const old = connectTls({
    port,
    host: "127.0.0.1",
    maxVersion: "TLSv1.1",
    minVersion: "TLSv1.1",
    ciphers: "DEFAULT:@SECLEVEL=0",
  });
  const code = await new Promise((resolve) => old.once("error", (cause: NodeJS.ErrnoException) => resolve(cause.code)));
  expect(code).toBe("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
  expect(await exchange(port, Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0]))).not.toContain("HTTP");
});

test("a handshake that never comes is not waited for, neither in service nor at the end", async () => {
  const quick = await tlsServer("127.0.0.1", { headersTimeout: 150 });
  expect(await exchange(quick.port, "")).toBe("");
  const slow = await tlsServer();
  const silent = exchange(slow.port, Buffer.from([22, 3, 1, 2, 0]));
  await new Promise((resolve) => slow.server.once("connection", resolve));
  const began = performance.now();
  await slow.close(100);
  expect(performance.now() - began).toBeLessThan(2_000);
  expect(await silent).toBe("");
});
