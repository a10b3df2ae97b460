import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import WebSocket from "ws";
import { createClock } from "../../emulators/kernel/clock.ts";
import { createFeedTokens, tokenLifeMs } from "../../emulators/kernel/feed-token.ts";
import { serve } from "../../emulators/kernel/serve.ts";
import { startExample } from "../support/example.ts";
import { watch } from "../support/viewer.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** A request with headers that fetch does not allow: Host, Origin. */
function send(method: string, url: string, path: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(url);
    request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    })
      .on("error", reject)
      .end();
  });
}

/** The status a WebSocket handshake is answered with; 101 when it is accepted. */
function handshake(url: string, path: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url.replace("http", "ws") + path, { headers });
    onTestFinished(() => socket.terminate());
    socket.on("open", () => resolve(101));
    socket.on("unexpected-response", (_, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    socket.on("error", reject);
  });
}

test("control answers carry security headers, a provider's own answers do not", async () => {
  const { call } = await startExample();
  for (const path of ["/_backlot/clock", "/_backlot/nope", "/health"]) {
    const { headers } = await call("GET", path);
    expect(Object.fromEntries(headers)).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    });
    expect(headers.get("cache-control")).toMatch(/no-store|no-cache/);
    expect(headers.get("access-control-allow-origin")).toBeNull();
  }
  const own = await call("GET", "/count");
  expect([...own.headers.keys()].filter((name) => name.startsWith("x-") || name.includes("security"))).toEqual([]);
});

test("a foreign name in Host reaches neither the control API nor the events", async () => {
  const { url } = await startExample();
  for (const path of ["/_backlot/journal", "/_backlot/events", "/health", "/_backlot/metrics"])
    expect(await send("GET", url, path, { host: "rebound.example" })).toMatchObject({ status: 421 });
  expect(await handshake(url, "/_backlot/events", { host: "rebound.example" })).toBe(421);
  expect(await handshake(url, "/_backlot/events", { host: "localhost" })).toBe(101);
});

test("a foreign page can neither read nor steer; its own pages and those that are allowed can", async () => {
  const { url } = await startExample({ BACKLOT_CORS_ORIGINS: "http://localhost:5173" });
  const own = new URL(url).host;
  const post = (origin: string) => send("POST", url, "/_backlot/reset", { host: own, origin });
  expect(await post("http://evil.example")).toMatchObject({
    status: 403,
    body: expect.stringContaining("BACKLOT_CORS_ORIGINS"),
  });
  expect((await post("null")).status).toBe(403);
  expect((await post(`http://${own}`)).status).toBe(200);
  const allowed = await post("http://localhost:5173");
  expect(allowed).toMatchObject({
    status: 200,
    headers: { "access-control-allow-origin": "http://localhost:5173", vary: "origin" },
  });
  expect(allowed.headers["access-control-allow-credentials"]).toBeUndefined();
  const read = await send("GET", url, "/_backlot/clock", { host: own, origin: "http://evil.example" });
  expect(read.headers["access-control-allow-origin"]).toBeUndefined();
});

test("preflight is answered for allowed origins, before any token, and for no other", async () => {
  const { url } = await startExample({
    BACKLOT_CORS_ORIGINS: "http://localhost:5173",
    BACKLOT_CONTROL_TOKEN: "s3cret",
  });
  const preflight = (origin: string) =>
    send("OPTIONS", url, "/_backlot/clock", {
      host: new URL(url).host,
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    });
  expect(await preflight("http://localhost:5173")).toMatchObject({
    status: 204,
    headers: {
      "access-control-allow-origin": "http://localhost:5173",
      "access-control-allow-headers": "authorization,content-type",
    },
  });
  const refused = await preflight("http://evil.example");
  expect(refused.status).toBe(403);
  expect(refused.headers["access-control-allow-origin"]).toBeUndefined();
});

test("with a control token the events need it, or a fresh token made with it", async () => {
  const { url } = await startExample({ BACKLOT_CONTROL_TOKEN: "s3cret" });
  const bearer = { authorization: "Bearer s3cret" };
  expect((await fetch(`${url}/_backlot/events/token`, { method: "POST" })).status).toBe(401);
  const made = await fetch(`${url}/_backlot/events/token`, { method: "POST", headers: bearer });
  const { token, expiresAt } = (await made.json()) as { token: string; expiresAt: string };
  expect(Date.parse(expiresAt) - Date.now()).toBeGreaterThan(50_000);
  const path = "/_backlot/events";
  const tokened = `${path}?token=${encodeURIComponent(token)}`;
  const tampered = `${path}?token=${encodeURIComponent(token.replace(/^\d/, "9"))}`;
  expect((await watch(url + path, bearer)).status).toBe(200);
  expect((await watch(url + tokened)).status).toBe(200);
  for (const refused of [path, tampered, `${path}?token=`]) {
    expect((await watch(url + refused)).status).toBe(401);
    expect(await handshake(url, refused)).toBe(401);
  }
  expect(await handshake(url, tokened)).toBe(101);
  expect(await handshake(url, path, bearer)).toBe(101);
  // The token opens the events and nothing else.
  expect((await fetch(`${url}/_backlot/journal?token=${encodeURIComponent(token)}`)).status).toBe(401);
});

test("a token is good for a minute, and only where its key is known", () => {
  const clock = createClock({ mode: "real" }, 1);
  let wall = 1_700_000_000_000;
  const shifted = { ...clock, wall: () => wall };
  const tokens = createFeedTokens("key", shifted);
  const { token, expiresAt } = tokens.issue();
  expect(expiresAt).toBe(wall + tokenLifeMs);
  expect([tokens.verify(token), createFeedTokens("key", shifted).verify(token)]).toEqual([true, true]);
  expect(createFeedTokens("other", shifted).verify(token)).toBe(false);
  expect(createFeedTokens(undefined, shifted).verify(token)).toBe(false);
  wall += tokenLifeMs;
  expect(tokens.verify(token)).toBe(false);
  for (const broken of ["", ".", token.slice(1), `${token}x`, "1e99.x", "-1.x"])
    expect(tokens.verify(broken)).toBe(false);
});

test("a WebSocket is opened for its own pages and allowed ones only", async () => {
  const { url } = await startExample({ BACKLOT_CORS_ORIGINS: "http://localhost:5173" });
  const from = (origin: string) => handshake(url, "/_backlot/events", { origin });
  expect(await from("http://evil.example")).toBe(403);
  expect(await from("null")).toBe(403);
  expect(await from(url)).toBe(101);
  expect(await from("http://localhost:5173")).toBe(101);
  expect(await handshake(url, "/_backlot/events?since=yesterday")).toBe(400);
});

test("an offer to speak HTTP/2 is answered as if it had not been made", async () => {
  const { url } = await startExample();
  const answered = await send("GET", url, "/count", {
    connection: "Upgrade, HTTP2-Settings",
    upgrade: "h2c",
    "http2-settings": "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
  });
  expect(answered).toMatchObject({ status: 200, body: expect.stringContaining("count") });
});

test.each([
  ["headers that never end", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", "408"],
  ["a body that never comes", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", "408"],
])("%s are cut off", async (_, start, status) => {
  const served = await serve({
    host: "127.0.0.1",
    port: 0,
    certificates: undefined,
    setting: "BACKLOT_PORT",
    handle: (incoming, outgoing) => incoming.resume().on("end", () => outgoing.end()),
    limits: { headersTimeout: 150, requestTimeout: 300, connectionsCheckingInterval: 50 },
  });
  onTestFinished(() => served.close(100));
  const said = await new Promise<string>((resolve, reject) => {
    let text = "";
    const socket = connect(served.port, "127.0.0.1", () => socket.write(start));
    socket.on("data", (chunk) => {
      text += chunk.toString();
    });
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
  });
  expect(said).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

test("the limit of a body holds for the control API too", async () => {
  const { call } = await startExample({ BACKLOT_BODY_LIMIT: "1KiB" });
  expect(await call("POST", "/_backlot/clock", "x".repeat(2_000))).toMatchObject({
    status: 413,
    body: { error: "too_large" },
  });
});
