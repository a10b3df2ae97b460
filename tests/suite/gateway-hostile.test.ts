/** What no well-behaved client sends: a clear refusal, no crash, nothing left open, and a line in the journal. */
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createClock } from "../../emulators/kernel/clock.ts";
import { createJournal, type Journal } from "../../emulators/kernel/journal.ts";
import { type Gateway, type GatewayOptions, openGateway } from "../../emulators/suite/gateway/gateway.ts";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";
import { ask, openTunnel, secure, sendRaw } from "../support/through-proxy.ts";
import { testUnless } from "../support/tools.ts";

let suite: Suite;
let gateway: Gateway;
let journal: Journal;
let port: number;

beforeAll(async () => {
  suite = await createSuite({ only: ["twilio", "azure-policyinsights"], environment: { BACKLOT_LOG_LEVEL: "silent" } });
  journal = createJournal("suite", createClock({ mode: "real" }, 1), { size: 1_000, bytes: 2 ** 20 });
  gateway = await openGateway(shared());
  port = Number(new URL(gateway.proxyUrl ?? "").port);
});
afterAll(async () => {
  await gateway.close();
  await suite.close();
});

function shared(): GatewayOptions {
  return {
    host: "127.0.0.1",
    proxyPort: 0,
    tlsPort: 0,
    allow: [],
    emulators: suite.emulators,
    attached: new Map(),
    certificates: suite.certificates,
    journal,
    log: suite.emulators[0]?.runtime.log ?? expect.fail("no emulator"),
    waits: { helloMs: 300, connectMs: 300, idleMs: 400 },
  };
}

const noted = () => journal.read({}).length;
const idle = () => expect.poll(() => gateway.connections, { timeout: 8_000 }).toBe(0);

test.each([
  ["no port", "CONNECT api.twilio.com HTTP/1.1\r\nHost: api.twilio.com\r\n\r\n", 400],
  ["a URL", "CONNECT https://api.twilio.com/ HTTP/1.1\r\nHost: api.twilio.com\r\n\r\n", 400],
  ["port 0", "CONNECT api.twilio.com:0 HTTP/1.1\r\n\r\n", 400],
  ["port 70000", "CONNECT api.twilio.com:70000 HTTP/1.1\r\n\r\n", 400],
  ["a user name", "CONNECT me@api.twilio.com:443 HTTP/1.1\r\n\r\n", 400],
  ["two ports", "CONNECT api.twilio.com:443:443 HTTP/1.1\r\n\r\n", 400],
  ["a path", "CONNECT api.twilio.com:443/x HTTP/1.1\r\n\r\n", 400],
  ["nothing", "CONNECT  HTTP/1.1\r\n\r\n", 400],
  ["a zero byte", "CONNECT api.twilio.com\0:443 HTTP/1.1\r\n\r\n", 400],
  ["a body", "CONNECT api.twilio.com:443 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 400],
  ["a chunked body", "CONNECT api.twilio.com:443 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400],
  ["HTTP/9", "CONNECT api.twilio.com:443 HTTP/9.9\r\n\r\n", 400],
  ["oversized headers", `CONNECT api.twilio.com:443 HTTP/1.1\r\nX: ${"x".repeat(40_000)}\r\n\r\n`, 431],
])("CONNECT with %s", async (_, bytes, status) => {
  const before = noted();
  const answer = (await sendRaw(port, bytes)).toString("latin1");
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer).toMatch(/\{"error":"[a-z._]+","message":"/);
  expect(noted()).toBe(before + 1);
});

const post = "POST http://api.twilio.com/2010-04-01/Accounts.json HTTP/1.1\r\nHost: api.twilio.com\r\n";
const smuggled = "GET /_backlot/digest HTTP/1.1\r\nHost: localhost\r\n\r\n";

test.each([
  ["both lengths", `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ["both, the other way round", `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggled}`],
  ["two lengths", `${post}Content-Length: 0\r\nContent-Length: 50\r\n\r\n${smuggled}`],
  ["a list of lengths", `${post}Content-Length: 0, 50\r\n\r\n${smuggled}`],
  ["a signed length", `${post}Content-Length: +5\r\n\r\nhello`],
  ["a bad chunk size", `${post}Transfer-Encoding: chunked\r\n\r\n5x\r\nhello\r\n0\r\n\r\n`],
  ["a negative chunk size", `${post}Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n`],
  ["a huge chunk size", `${post}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello`],
  ["chunked twice", `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${smuggled}`],
  ["chunked in disguise", `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ["a space before the colon", `${post}Transfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n${smuggled}`],
  ["a bare line feed in a header", `${post}X: a\nTransfer-Encoding: chunked\r\n\r\n${smuggled}`],
  ["a bare carriage return", `${post}X: a\rTransfer-Encoding: chunked\r\n\r\n${smuggled}`],
  ["a folded header", `${post}X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n${smuggled}`],
  ["a zero byte in a header", `${post}X: a\0b\r\n\r\n`],
  ["no request at all", "hello, proxy\r\n\r\n"],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
])("smuggling: %s", async (_, bytes) => {
  const before = noted();
  const answer = (await sendRaw(port, bytes)).toString("latin1");
  const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map((match) => Number(match[1]));
  expect(
    statuses.every((status) => status >= 400),
    answer,
  ).toBe(true);
  expect(answer).not.toContain('"digest"');
  expect(noted()).toBeGreaterThan(before);
  expect(await stillThere()).toBe(401);
});

test.each([
  ["a length that Connection names", "Connection: close, content-length\r\nContent-Length: LENGTH\r\n\r\n"],
  ["a length and no method for a body", "Connection: close\r\nContent-Length: LENGTH\r\n\r\n"],
  ["two Host headers", "Host: other\r\nConnection: close, host\r\nContent-Length: LENGTH\r\n\r\n"],
])("smuggling through to an application on this machine: %s", async (_, head) => {
  const seen: string[] = [];
  const server = createHttpServer((incoming, outgoing) => {
    seen.push(`${incoming.headers.host} ${incoming.url}`);
    incoming.resume();
    incoming.on("end", () => outgoing.end("once"));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close());
  const own = `localhost:${(server.address() as AddressInfo).port}`;
  const next = `GET /smuggled HTTP/1.1\r\nHost: ${own}\r\n\r\n`;
  const bytes = `GET http://${own}/ HTTP/1.1\r\nHost: x\r\n${head.replace("LENGTH", String(next.length))}${next}`;
  const answer = await sendRaw(port, bytes);
  expect(answer.toString()).toMatch(/^HTTP\/1.1 200 /);
  expect(seen).toEqual([`${own} /`]);
});

test("the same inside a tunnel: refused by the emulator, written down by the gateway", async () => {
  const { socket } = await openTunnel(gateway.proxyUrl ?? "", "api.twilio.com:443");
  const tls = await secure(socket, "api.twilio.com", suite.certificates().caPem);
  const before = noted();
  const answer = new Promise<string>((resolve) => tls.once("data", (chunk: Buffer) => resolve(chunk.toString())));
  tls.write(
    `POST / HTTP/1.1\r\nHost: api.twilio.com\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  );
  expect(await answer).toMatch(/^HTTP\/1.1 400 /);
  tls.destroy();
  expect(noted()).toBe(before + 1);
  expect(journal.read({}).at(-1)?.data).toMatchObject({
    by: "gateway",
    refused: expect.stringMatching(/^HPE_/),
    status: 400,
  });
});

test("a tunnel to one host with TLS for another is refused with an alert that says so", async () => {
  const before = noted();
  const { socket } = await openTunnel(gateway.proxyUrl ?? "", "api.twilio.com:443");
  const cause = await secure(socket, "management.azure.com", suite.certificates().caPem).then(
    () => undefined,
    (reason: NodeJS.ErrnoException) => reason.code,
  );
  expect(cause).toBe("ERR_SSL_TLSV1_UNRECOGNIZED_NAME");
  expect(journal.read({ since: 0 }).at(-1)?.data).toMatchObject({
    refused: "the tunnel is to api.twilio.com, TLS inside it asks for management.azure.com",
  });
  expect(noted()).toBe(before + 1);
});

test("a tunnel to one emulator does not lead to another by its Host header", async () => {
  const { socket } = await openTunnel(gateway.proxyUrl ?? "", "api.twilio.com:443");
  const tls = await secure(socket, "api.twilio.com", suite.certificates().caPem);
  expect(await ask(tls, "/subscriptions", { host: "management.azure.com" })).toMatchObject({ status: 421 });
  tls.destroy();
});

/** As a client sees it: alert, TLS 1.2, two bytes, fatal, decode_error. */
const decodeError = Buffer.from([21, 3, 3, 0, 2, 2, 50]).toString("latin1");

test.each([
  ["HTTP", "GET / HTTP/1.1\r\n\r\n", "Use https:// and an emulated host name"],
  ["HTTP for a host", "DELETE /x HTTP/1.1\r\nHost: api.twilio.com:4443\r\n\r\n", "Use https://api.twilio.com.\n"],
  ["no hello", Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0]), decodeError],
  ["a hello with a wrong length", Buffer.from([22, 3, 1, 0, 8, 1, 0, 0, 4, 3, 3, 0, 0]), decodeError],
  ["endless records", Buffer.alloc(20_000, Buffer.from([22, 3, 1, 0, 1, 1])), decodeError],
])("the TLS port with %s", async (_, bytes, said) => {
  const before = noted();
  expect((await sendRaw(gateway.tlsPort ?? 0, bytes)).toString("latin1")).toContain(said);
  expect(noted()).toBe(before + 1);
});

const outside = Object.values(networkInterfaces())
  .flat()
  .find((found) => found?.family === "IPv4" && !found.internal)?.address;

const alone = outside === undefined && "this machine has no IPv4 address but loopback";
testUnless(alone, "a client on another machine is not led to this one's loopback", async () => {
  const { close, proxyUrl } = await openGateway({ ...shared(), host: "0.0.0.0" });
  onTestFinished(close);
  const far = `http://${outside}:${new URL(proxyUrl ?? "").port}`;
  for (const authority of ["127.0.0.1:22", "localhost:22", "[::ffff:127.0.0.1]:22", "0.0.0.0:22"])
    expect(await openTunnel(far, authority)).toMatchObject({
      status: 403,
      body: expect.stringContaining("open to clients on it only"),
    });
  expect((await openTunnel(far, "api.twilio.com:443")).status).toBe(200);
});

test("TLS without a server name, or with a version nobody should speak, is refused", async () => {
  const options = { host: "127.0.0.1", port: gateway.tlsPort ?? 0, rejectUnauthorized: false };
  const failure = (socket: Socket) =>
    new Promise<string | undefined>((resolve) =>
      socket.once("error", (cause: NodeJS.ErrnoException) => resolve(cause.code)),
    );
  expect(await failure(connectTls(options))).toBe("ERR_SSL_TLSV1_UNRECOGNIZED_NAME");
  const old = connectTls({
    ...options,
    servername: "api.twilio.com",
    minVersion: "TLSv1.1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT:@SECLEVEL=0",
  });
  expect(await failure(old)).toMatch(/ALERT|UNSUPPORTED|ECONNRESET/);
});

test("clients that stall, at any step, give back what they hold", async () => {
  await idle();
  const silent = () => connect(gateway.tlsPort ?? 0, "127.0.0.1");
  const halfHello = () => {
    const socket = silent();
    socket.write(Buffer.from([22, 3, 1, 2, 0, 1]));
    return socket;
  };
  const sockets = [silent(), halfHello()];
  for (const _ of [1, 2]) sockets.push((await openTunnel(gateway.proxyUrl ?? "", "api.twilio.com:443")).socket);
  sockets.at(-1)?.write(Buffer.from([22, 3, 1]));
  for (const socket of sockets) socket.on("error", () => {});
  const quiet = createServer(() => {}).listen(0, "127.0.0.1");
  await new Promise((resolve) => quiet.once("listening", resolve));
  onTestFinished(() => void quiet.close());
  const toQuiet = await openTunnel(gateway.proxyUrl ?? "", `127.0.0.1:${(quiet.address() as AddressInfo).port}`);
  toQuiet.socket.on("error", () => {});
  expect(gateway.connections).toBe(5);
  await idle();
});

test("a client that stalls or dies in the middle of a body frees its connection", async () => {
  // The waits of any Node server, shortened; the one for headers must stay below the one for the whole request.
  for (const server of suite.emulators.flatMap(({ servers }) => servers))
    Object.assign(server, { headersTimeout: 400, requestTimeout: 500 });
  const open = async () => {
    const { socket } = await openTunnel(gateway.proxyUrl ?? "", "api.twilio.com:443");
    const tls = await secure(socket, "api.twilio.com", suite.certificates().caPem);
    tls.on("error", () => {});
    tls.write("POST /2010-04-01/Accounts.json HTTP/1.1\r\nHost: api.twilio.com\r\nContent-Length: 1000\r\n\r\nhello");
    return tls;
  };
  const stalled = await open();
  const said = new Promise<string>((resolve) => stalled.once("data", (chunk: Buffer) => resolve(chunk.toString())));
  const dying = await open();
  dying.destroy();
  expect(await said).toMatch(/^HTTP\/1.1 408 /);
  await idle();
});

async function stillThere(): Promise<number> {
  const { socket } = await openTunnel(gateway.proxyUrl ?? "", "management.azure.com:443");
  const tls = await secure(socket, "management.azure.com", suite.certificates().caPem);
  const { status } = await ask(tls, "/subscriptions?api-version=2020-01-01", { host: "management.azure.com" });
  tls.destroy();
  return status;
}
