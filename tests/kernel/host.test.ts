import { request } from "node:http";
import { connect } from "node:net";
import supertest from "supertest";
import { expect, test } from "vitest";
import { startExample } from "../support/example.ts";

/** A request with a Host header of its own choosing, which fetch does not allow. */
function as(host: string, url: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(url);
    request({ host: "127.0.0.1", port, path, headers: { host } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    })
      .on("error", reject)
      .end();
  });
}

/** Raw bytes to the server, and what it says until it closes. */
function raw(url: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk) => {
      said += chunk.toString();
    });
    socket.on("close", () => resolve(said));
    socket.on("error", reject);
  });
}

test("a site is reached by its host names, by its prefix on a plain address, and by nothing else", async () => {
  const { url } = await startExample();
  const { port } = new URL(url);
  expect((await as("notes.example.test", url, "/count")).body).toContain('"base":"http://notes.example.test"');
  expect((await as("eu.notes.example.test", url, "/count")).status).toBe(200);
  expect((await as("archive.example.test", url, "/boxes")).body).toContain('"base":"http://archive.example.test"');
  expect((await as(`localhost:${port}`, url, "/archive/boxes")).body).toContain(
    `"base":"http://localhost:${port}/archive"`,
  );
  const foreign = await as("evil.test", url, "/count");
  expect(foreign.status).toBe(421);
  expect(foreign.body).toContain("BACKLOT_ALLOWED_HOSTS");
  expect((await as("evil.test", url, "/_backlot/journal")).status).toBe(421);
});

test("a name in BACKLOT_ALLOWED_HOSTS is answered to", async () => {
  const { url } = await startExample({ BACKLOT_ALLOWED_HOSTS: "notes-service" });
  expect((await as("notes-service:80", url, "/count")).status).toBe(200);
});

test("what goes wrong is told in the provider's shape: unknown route, wrong method, too much, broken", async () => {
  const { call, emulator } = await startExample({ BACKLOT_BODY_LIMIT: "1KiB" });
  expect(await call("GET", "/nope")).toMatchObject({ status: 404, body: { note_error: "not found" } });
  expect(await call("DELETE", "/notes")).toMatchObject({ status: 405, body: { note_error: "use POST" } });
  expect(await call("POST", "/notes", "x".repeat(2_000))).toMatchObject({
    status: 413,
    body: { note_error: "larger than 1024" },
  });
  const broken = await call("GET", "/broken");
  expect(broken.status).toBe(500);
  expect(JSON.stringify(broken.body)).not.toMatch(/secret internals|at /);
  const { note_error: incident } = broken.body as { note_error: string };
  expect(emulator.runtime.journal.read({ matches: (entry) => entry.kind === "incident" })).toMatchObject([
    { subject: incident, data: { cause: expect.stringContaining("secret internals") } },
  ]);
});

test("a chunked body over the limit is refused as well, and the connection lives on", async () => {
  const { url } = await startExample({ BACKLOT_BODY_LIMIT: "1KiB" });
  const body = new ReadableStream({
    start(controller) {
      for (let n = 0; n < 64; n += 1) controller.enqueue(new TextEncoder().encode("x".repeat(1_024)));
      controller.close();
    },
  });
  const response = await fetch(`${url}/notes`, { method: "POST", body, duplex: "half" } as RequestInit);
  expect(response.status).toBe(413);
});

test.each([
  ["not HTTP at all", "HELO there\r\n\r\n", 400],
  ["two lengths", "POST /notes HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400],
  [
    "length and chunks",
    "POST /notes HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
  ],
  ["a header of 64 KiB", `GET /count HTTP/1.1\r\nHost: localhost\r\nX-Long: ${"x".repeat(65_536)}\r\n\r\n`, 431],
  ["no host", "GET /count HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
])("refused at the socket: %s", async (_, text, status) => {
  const { url } = await startExample();
  expect(await raw(url, text)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

test("real mode is decided before the body is read, by environment, control API or header, and stores nothing", async () => {
  const { emulator, call } = await startExample();
  const digest = emulator.digest();
  const headers = { "x-use-real-data": "true" };
  expect(await call("POST", "/notes", { text: "real" }, headers)).toMatchObject({
    status: 503,
    body: { required: ["NOTES_TOKEN"], missing: ["NOTES_TOKEN"] },
  });
  expect((await call("PUT", "/_backlot/mode", { mode: "real" })).body).toMatchObject({ mode: "real", lowerable: true });
  expect((await call("POST", "/notes", { text: "real" })).status).toBe(503);
  expect((await call("GET", "/count")).status).toBe(503);
  expect((await call("GET", "/health")).body).toMatchObject({
    status: "degraded",
    mode: "real",
    configuration_hints: [expect.stringContaining("NOTES_TOKEN")],
  });
  expect((await call("PUT", "/_backlot/mode", { mode: "mock" })).status).toBe(200);
  expect(emulator.digest()).toBe(digest);
  expect((await call("GET", "/count")).status).toBe(200);
});

test.each([
  { BACKLOT_MODE: "real" },
  { USE_REAL_DATA: "true" },
  { APP_MODE: "live" },
  { APP_MODE: "production", BACKLOT_MODE: "mock" },
])("%o cannot be lowered", async (environment) => {
  const { call } = await startExample(environment as Record<string, string>);
  expect((await call("GET", "/count")).status).toBe(503);
  expect(await call("PUT", "/_backlot/mode", { mode: "mock" })).toMatchObject({
    status: 409,
    body: { error: "mode_locked" },
  });
  expect((await call("GET", "/_backlot/live")).status).toBe(200);
});

test("timers stand still and webhooks are held in real mode, and go on after it", async () => {
  const { emulator, call, note } = await startExample();
  const id = await note("waiting");
  await call("PUT", "/_backlot/mode", { mode: "real" });
  await call("POST", "/_backlot/clock/advance", { minutes: 5 });
  await call("PUT", "/_backlot/mode", { mode: "mock" });
  expect((await call("GET", `/notes/${id}`)).body).toMatchObject({ status: "kept" });
  expect(emulator.runtime.timers.size).toBe(0);
});

test("the control API: token, unknown input, clock backward", async () => {
  const { url, emulator } = await startExample({ BACKLOT_CONTROL_TOKEN: "s3cret" });
  const api = supertest(url);
  await api.get("/_backlot/health").expect(200);
  await api.get("/_backlot/live").expect(200);
  await api.get("/_backlot/digest").expect(401);
  await api.get("/_backlot/digest").set("authorization", "Bearer wrong").expect(401);
  await api.get("/_backlot/digest").set("authorization", "Bearer s3cret").expect(200, { digest: emulator.digest() });
  const signed = (path: string, body: object) => api.post(path).set("authorization", "Bearer s3cret").send(body);
  await signed("/_backlot/clock/advance", { secnods: 1 })
    .expect(400)
    .expect((r) => expect(r.body.error).toBe("invalid_input"));
  await signed("/_backlot/clock/advance", { to: "2020-01-01T00:00:00Z" })
    .expect(409)
    .expect((r) => expect(r.body.message).toContain("cannot go back"));
  await api.get("/_backlot/nope").set("authorization", "Bearer s3cret").expect(404);
});

test("the journal keeps what came and masks what proves who asked", async () => {
  const { call } = await startExample();
  await call("GET", "/count", undefined, { authorization: `Basic ${Buffer.from("AC1:token").toString("base64")}` });
  const { body } = await call("GET", "/_backlot/journal?kind=request");
  expect(JSON.stringify(body)).toContain("Basic AC1:[masked]");
  expect(JSON.stringify(body)).not.toContain(Buffer.from("AC1:token").toString("base64"));
});

test("the journal is bounded and counts what it dropped", async () => {
  const { emulator, call } = await startExample({ BACKLOT_JOURNAL_SIZE: "3" });
  for (let n = 0; n < 5; n += 1) await call("GET", "/count");
  expect(emulator.runtime.journal.dropped).toBe(2);
  expect(emulator.runtime.journal.read({}).map(({ sequence }) => sequence)).toEqual([3, 4, 5]);
});
