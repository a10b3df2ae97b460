/** Bodies stream through the gateway both ways, as fast as the slower side takes them, and end when either side does. */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer as createSocketServer, type Socket } from "node:net";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";
import { openTunnel, secure } from "../support/through-proxy.ts";

let suite: Suite;
let proxyUrl: string;

beforeAll(async () => {
  suite = await createSuite({ only: ["twilio"], environment: { BACKLOT_LOG_LEVEL: "silent" } });
  proxyUrl = suite.services.gateway?.proxyUrl ?? "";
});
afterAll(() => suite.close());

const mebibyte = Buffer.alloc(2 ** 20, "x");
/** What kernels keep for two connections on loopback, and what Node keeps for both ends of each: far less than is offered. */
const buffered = 32;
const offered = 96;

async function application(answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void): Promise<string> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `localhost:${(server.address() as AddressInfo).port}`;
}

/** A request in absolute form through the proxy; its body is the caller's. */
function proxied(url: string, method: string): ReturnType<typeof request> {
  const { hostname, port } = new URL(proxyUrl);
  return request({ host: hostname, port, method, path: url, headers: { host: new URL(url).host }, agent: false });
}

/** Resolves when `count` has not moved for a while: whoever writes waits for whoever reads. */
async function standstill(count: () => number): Promise<number> {
  for (let before = -1; before !== count() || before === 0; ) {
    before = count();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return count();
}

/** Writes `offered` MiB as fast as they are taken. */
function pour(target: { write(chunk: Buffer, done: () => void): unknown; end(): unknown }): { readonly taken: number } {
  const state = { taken: 0 };
  const next = () => {
    if (state.taken === offered) target.end();
    else
      target.write(mebibyte, () => {
        state.taken += 1;
        next();
      });
  };
  next();
  return state;
}

test("a client that does not read stops the application that writes; then all arrives", async () => {
  let poured = { taken: 0 };
  const host = await application((_, outgoing) => {
    poured = pour(outgoing);
  });
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    proxied(`http://${host}/`, "GET").once("response", resolve).once("error", reject).end(),
  );
  expect(await standstill(() => poured.taken)).toBeLessThan(buffered);
  let bytes = 0;
  for await (const chunk of response) bytes += (chunk as Buffer).length;
  expect(bytes).toBe(offered * 2 ** 20);
});

test("an application that does not read stops the client that writes; then all arrives", async () => {
  let read = () => {};
  let bytes = 0;
  const host = await application((incoming, outgoing) => {
    read = () => {
      incoming.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      incoming.on("end", () => outgoing.end("read"));
    };
  });
  const sent = proxied(`http://${host}/`, "POST");
  const answered = new Promise<IncomingMessage>((resolve, reject) =>
    sent.once("response", resolve).once("error", reject),
  );
  const poured = pour(sent);
  expect(await standstill(() => poured.taken)).toBeLessThan(buffered);
  read();
  (await answered).resume();
  expect(bytes).toBe(offered * 2 ** 20);
});

test("a tunnel keeps backpressure as well", async () => {
  let bytes = 0;
  const held: Socket[] = [];
  const server = createSocketServer({ pauseOnConnect: true }, (socket) => held.push(socket)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close());
  const { socket } = await openTunnel(proxyUrl, `127.0.0.1:${(server.address() as AddressInfo).port}`);
  const poured = pour(socket);
  expect(await standstill(() => poured.taken)).toBeLessThan(buffered);
  const [other] = held;
  other?.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await new Promise((resolve) => other?.once("end", resolve).resume());
  expect(bytes).toBe(offered * 2 ** 20);
});

test("what an application says bit by bit arrives bit by bit", async () => {
  let say = (_: string) => {};
  const host = await application((_, outgoing) => {
    outgoing.flushHeaders();
    say = (text) => outgoing.write(text);
  });
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    proxied(`http://${host}/`, "GET").once("response", resolve).once("error", reject).end(),
  );
  for (const word of ["one", "two", "three"]) {
    const arrived = new Promise((resolve) => response.once("data", (chunk: Buffer) => resolve(chunk.toString())));
    say(word);
    expect(await arrived).toBe(word);
  }
  response.destroy();
});

test("the live journal of an emulator arrives under its real name while it happens", async () => {
  const { socket } = await openTunnel(proxyUrl, "api.twilio.com:443");
  const tls = await secure(socket, "api.twilio.com", suite.certificates().caPem);
  let text = "";
  tls.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  tls.write("GET /_backlot/events HTTP/1.1\r\nHost: api.twilio.com\r\nAccept: text/event-stream\r\n\r\n");
  await expect.poll(() => text).toContain("text/event-stream");
  suite.emulators[0]?.runtime.journal.append("change", "seen-at-once", {});
  await expect.poll(() => text).toContain("seen-at-once");
  tls.destroy();
});

test("a client that dies in the middle of a body takes the way to the application with it", async () => {
  const ended: string[] = [];
  let begun = () => {};
  const host = await application((incoming) => {
    incoming.once("data", () => begun());
    incoming.on("error", () => {});
    incoming.on("close", () => ended.push(incoming.complete ? "whole" : "broken off"));
  });
  const { hostname, port } = new URL(proxyUrl);
  const client = connect(Number(port), hostname);
  const started = new Promise<void>((resolve) => {
    begun = resolve;
  });
  client.write(`POST http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000000\r\n\r\nbegun`);
  await started;
  client.destroy();
  await expect.poll(() => ended).toEqual(["broken off"]);
  await expect.poll(() => suite.gateway?.connections).toBe(0);
});

test("an application that dies in the middle of a body breaks it off at the client", async () => {
  const host = await application((_, outgoing) => {
    outgoing.writeHead(200, { "content-length": 1_000 });
    outgoing.write("begun");
    setImmediate(() => outgoing.destroy());
  });
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    proxied(`http://${host}/`, "GET").once("response", resolve).once("error", reject).end(),
  );
  const reading = (async () => {
    for await (const _ of response);
  })();
  await expect(reading).rejects.toThrow(/aborted/);
});
