/** The gateway as clients meet it: real names, TLS under the local authority, and a list of what tried to leave. */

import { createServer, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import WebSocket from "ws";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";
import { freePorts, start } from "../support/command.ts";
import { ask, openTunnel, secure } from "../support/through-proxy.ts";

let suite: Suite;
let proxyUrl: string;
let ca: string;

beforeAll(async () => {
  suite = await createSuite({ environment: { BACKLOT_LOG_LEVEL: "silent" } });
  proxyUrl = suite.services.gateway?.proxyUrl ?? "";
  ca = suite.certificates().caPem;
});
afterAll(() => suite.close());

const basic = () => `Basic ${btoa(`${suite.env.TWILIO_ACCOUNT_SID}:${suite.env.TWILIO_AUTH_TOKEN}`)}`;
const messages = () => `/2010-04-01/Accounts/${suite.env.TWILIO_ACCOUNT_SID}/Messages.json`;

interface Egress {
  refused: {
    subject?: string;
    host?: string;
    port?: number;
    method?: string;
    client?: string;
    at: string;
    target?: string;
    by?: string;
  }[];
  allowed: { host: string; reason: string }[];
  targets: { target: string; verdict: string; count: number }[];
  totals: { refused: number; allowed: number };
}
const egress = async (of = suite) => (await (await of.control("GET", "/_backlot/egress")).json()) as Egress;

/** A plain request in absolute form. */
function absolute(
  proxy: string,
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(proxy);
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: hostname, port, path: url, headers: { host: new URL(url).host, ...headers }, agent: false },
      (response) => {
        let body = "";
        response.on("data", (chunk) => {
          body += String(chunk);
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}

test.each([
  ["api.twilio.com", () => [messages(), { authorization: basic() }] as const, 200],
  ["api.dublin.us1.twilio.com", () => [messages(), { authorization: basic() }] as const, 200],
  ["verify.twilio.com", () => ["/v2/Services", {}] as const, 401],
  ["management.azure.com", () => ["/subscriptions?api-version=2020-01-01", {}] as const, 401],
  [
    "login.microsoftonline.com",
    () => [`/${suite.env.AZURE_TENANT_ID}/v2.0/.well-known/openid-configuration`, {}] as const,
    200,
  ],
  ["ec2.eu-west-1.amazonaws.com", () => ["/?Action=DescribeRegions&Version=2016-11-15", {}] as const, 200],
  ["sts.amazonaws.com", () => ["/?Action=GetCallerIdentity&Version=2011-06-15", {}] as const, 403],
])("%s comes to its emulator through CONNECT and TLS", async (host, wanted, status) => {
  const { socket } = await openTunnel(proxyUrl, `${host}:443`);
  const tls = await secure(socket, host, ca);
  const [path, headers] = wanted();
  const answer = await ask(tls, path, { host, headers });
  expect([200, status].includes(answer.status) || answer.status < 500, `${answer.status} ${answer.body}`).toBe(true);
  if (status === 200) expect(answer.status, answer.body).toBe(200);
  tls.destroy();
});

test("one tunnel takes many requests, and links lead to the real name under https", async () => {
  const { socket } = await openTunnel(proxyUrl, "api.twilio.com:443");
  const tls = await secure(socket, "api.twilio.com", ca);
  const headers = { authorization: basic(), "content-type": "application/x-www-form-urlencoded" };
  for (const text of ["one", "two", "three"]) {
    const body = new URLSearchParams({
      To: "+12025550199",
      From: suite.env.TWILIO_PHONE_NUMBER ?? "",
      Body: text,
    }).toString();
    const answer = await ask(tls, messages(), { host: "api.twilio.com", method: "POST", headers, body });
    expect(answer.status, answer.body).toBe(201);
  }
  const page = await ask(tls, `${messages()}?PageSize=1`, { host: "api.twilio.com", headers });
  expect(JSON.parse(page.body)).toMatchObject({
    messages: [expect.objectContaining({ body: "three" })],
    next_page_uri: expect.any(String),
  });
  tls.destroy();
});

test("absolute form and plain HTTP inside a tunnel reach the same emulator", async () => {
  expect(await absolute(proxyUrl, `http://api.twilio.com${messages()}`, { authorization: basic() })).toMatchObject({
    status: 200,
  });
  const { socket } = await openTunnel(proxyUrl, "api.twilio.com:80");
  expect(await ask(socket, messages(), { host: "api.twilio.com", headers: { authorization: basic() } })).toMatchObject({
    status: 200,
  });
  socket.destroy();
});

test("TLS by SNI serves a client that was led here by DNS", async () => {
  const port = suite.services.gateway?.tlsPort ?? 0;
  const tls = connectTls({ host: "127.0.0.1", port, servername: "management.azure.com", ca });
  await new Promise((resolve, reject) => tls.once("secureConnect", resolve).once("error", reject));
  expect(await ask(tls, "/subscriptions?api-version=2020-01-01", { host: "management.azure.com" })).toMatchObject({
    status: 401,
  });
  tls.destroy();
  const foreign = connectTls({ host: "127.0.0.1", port, servername: "example.com", ca });
  const cause = await new Promise<NodeJS.ErrnoException>((resolve) => foreign.once("error", resolve));
  expect(cause.code).toBe("ERR_SSL_TLSV1_UNRECOGNIZED_NAME");
  expect((await egress()).refused).toContainEqual(expect.objectContaining({ host: "example.com", method: "TLS" }));
});

test("what is not emulated is refused, counted, and listed with time, host, port, method and client", async () => {
  const before = (await egress()).totals.refused;
  const refused = await openTunnel(proxyUrl, "s3.amazonaws.com:443", { "user-agent": "an application" });
  expect(refused.status).toBe(403);
  expect(JSON.parse(refused.body)).toMatchObject({
    error: "backlot.egress_refused",
    message: expect.stringContaining("s3.amazonaws.com"),
    hint: expect.stringContaining("BACKLOT_EGRESS_ALLOW"),
  });
  expect(await absolute(proxyUrl, "http://192.0.2.1:8080/x")).toMatchObject({ status: 403 });
  expect((await openTunnel(proxyUrl, "s3.amazonaws.com:443")).status).toBe(403);
  const list = await egress();
  expect(list.totals.refused).toBe(before + 3);
  expect(list.refused).toContainEqual(
    expect.objectContaining({
      host: "s3.amazonaws.com",
      port: 443,
      method: "CONNECT",
      userAgent: "an application",
      client: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      at: expect.stringMatching(/Z$/),
    }),
  );
  expect(list.targets).toContainEqual(
    expect.objectContaining({ target: "s3.amazonaws.com:443", verdict: "refused", count: 2 }),
  );
});

test("what is refused stands in the merged journal, the live feed and the metrics like all that happens", async () => {
  const own = await createSuite({ only: ["smtp"], environment: { BACKLOT_LOG_LEVEL: "silent" } });
  onTestFinished(() => own.close());
  const journal = async (query = "") =>
    (await (await own.control("GET", `/_backlot/journal${query}`)).json()) as {
      cursor: string;
      entries: { emulator: string; kind: string; subject: string }[];
    };
  const feed = new WebSocket(`${own.url?.replace("http", "ws")}/_backlot/events`);
  const live = new Promise((resolve) => {
    feed.on("message", (data) => String(data).includes("s3.amazonaws.com") && resolve(JSON.parse(String(data))));
  });
  await new Promise((resolve, reject) => feed.once("open", resolve).once("error", reject));
  expect((await openTunnel(own.services.gateway?.proxyUrl ?? "", "s3.amazonaws.com:443")).status).toBe(403);
  const entry = { emulator: "suite", kind: "egress", subject: "s3.amazonaws.com:443", verdict: "refused" };
  const page = await journal("?kind=egress");
  expect(page.entries).toEqual([expect.objectContaining(entry)]);
  expect(page.cursor).toMatch(/^smtp:\d+,suite:\d+$/);
  expect((await journal(`?since=${page.cursor}`)).entries).toEqual([]);
  expect(JSON.stringify(await live)).toContain('"emulator":"suite"');
  feed.terminate();
  const metrics = async () => (await own.control("GET", "/_backlot/metrics")).text();
  expect(await metrics()).toContain('backlot_egress_refused_total{emulator="suite"} 1');
  // A reset clears the journal; the list of what tried to leave and the counters speak of the run as a whole.
  await own.reset();
  expect((await journal("?kind=egress")).entries).toEqual([]);
  expect((await egress(own)).refused).toEqual([expect.objectContaining({ host: "s3.amazonaws.com" })]);
  expect(await metrics()).toContain('backlot_egress_refused_total{emulator="suite"} 1');
});

test("this machine is reached directly, streams included, and not written down", async () => {
  const server = createServer((incoming, outgoing) => {
    if (incoming.url === "/echo") incoming.pipe(outgoing);
    else outgoing.end(JSON.stringify({ host: incoming.headers.host, via: incoming.headers.via, url: incoming.url }));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const before = (await egress()).totals;
  const plain = await absolute(proxyUrl, `http://localhost:${port}/a?b=c`);
  expect(JSON.parse(plain.body)).toEqual({ host: `localhost:${port}`, via: "1.1 backlot-gateway", url: "/a?b=c" });
  const { socket } = await openTunnel(proxyUrl, `127.0.0.1:${port}`);
  expect(await ask(socket, "/b", { host: "x" })).toMatchObject({ status: 200 });
  socket.destroy();
  expect((await egress()).totals).toEqual(before);
  expect(await absolute(proxyUrl, `${proxyUrl}/round`)).toMatchObject({ status: 400 });
  expect(await absolute(proxyUrl, `${proxyUrl}/`, { via: "1.1 backlot-gateway" })).toMatchObject({ status: 508 });
});

test("BACKLOT_EGRESS_ALLOW lets a host through and says so; what cannot be used is told at the start", async () => {
  const server = createServer((_, outgoing) => void outgoing.end("real")).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  // TEST-NET addresses lead nowhere, so the way out is seen by what it says when nobody answers.
  const open = await createSuite({
    only: ["smtp"],
    environment: { BACKLOT_EGRESS_ALLOW: "192.0.2.0/24,*.invalid", BACKLOT_LOG_LEVEL: "silent" },
  });
  onTestFinished(() => open.close());
  const url = open.services.gateway?.proxyUrl ?? "";
  expect(await absolute(url, `http://localhost:${port}/`)).toMatchObject({ status: 200, body: "real" });
  expect(await openTunnel(url, "nowhere.invalid:443")).toMatchObject({
    status: 403,
    body: expect.stringContaining("does not resolve"),
  });
  const out = openTunnel(url, "192.0.2.1:443").catch(() => undefined); // what becomes of it depends on the machine's network
  await expect
    .poll(async () => (await egress(open)).allowed)
    .toContainEqual(expect.objectContaining({ host: "192.0.2.1", reason: "BACKLOT_EGRESS_ALLOW has 192.0.2.0/24" }));
  void out;
  await expect(createSuite({ only: ["smtp"], environment: { BACKLOT_EGRESS_ALLOW: "10.0.0.0/40" } })).rejects.toThrow(
    /BACKLOT_EGRESS_ALLOW: 10.0.0.0\/40 cannot be used/,
  );
  await expect(async () =>
    createSuite({ environment: { BACKLOT_EGRESS_ALLOW: "https://example.com" } }),
  ).rejects.toThrow(/BACKLOT_EGRESS_ALLOW=https:\/\/example.com/);
});

test("an emulator that was not started answers 502 and says how to start it", async () => {
  const only = await createSuite({ only: ["smtp"], environment: { BACKLOT_LOG_LEVEL: "silent" } });
  onTestFinished(() => only.close());
  const url = only.services.gateway?.proxyUrl ?? "";
  const { socket } = await openTunnel(url, "ec2.us-east-1.amazonaws.com:443");
  const tls = await secure(socket, "ec2.us-east-1.amazonaws.com", only.certificates().caPem);
  const answer = await ask(tls, "/", { host: "ec2.us-east-1.amazonaws.com" });
  expect(answer).toMatchObject({ status: 502, body: expect.stringContaining("add ec2-spot to BACKLOT_ONLY") });
  expect(await absolute(url, "http://api.twilio.com/")).toMatchObject({
    status: 502,
    body: expect.stringContaining("not_started"),
  });
  expect((await openTunnel(url, "s3.amazonaws.com:443")).status).toBe(403);
});

test("a webhook to a foreign host is in the same list", async () => {
  const own = await createSuite({ environment: { BACKLOT_LOG_LEVEL: "silent", BACKLOT_PACE: "0" } });
  onTestFinished(() => own.close());
  await fetch(`${own.services.twilio?.url}/2010-04-01/Accounts/${own.env.TWILIO_ACCOUNT_SID}/Messages.json`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${own.env.TWILIO_ACCOUNT_SID}:${own.env.TWILIO_AUTH_TOKEN}`)}` },
    body: new URLSearchParams({
      To: "+12025550199",
      From: own.env.TWILIO_PHONE_NUMBER ?? "",
      Body: "x",
      StatusCallback: "https://hooks.example.com/status",
    }),
  });
  await expect
    .poll(async () => (await egress(own)).targets, { timeout: 5_000 })
    .toContainEqual(
      expect.objectContaining({ target: "https://hooks.example.com", methods: ["webhook"], verdict: "refused" }),
    );
  // The list speaks of the run as a whole: a reset between two tests does not hide what the first one did.
  await own.reset();
  expect((await egress(own)).totals.refused).toBeGreaterThan(0);
});

/** The live journal over a WebSocket inside a tunnel; resolves with the first entry of a request. */
async function watch(proxy: string, authority: string): Promise<{ entry: Promise<string>; end(): void }> {
  const { socket } = await openTunnel(proxy, "api.twilio.com:443");
  const tls = await secure(socket, "api.twilio.com", authority);
  const live = new WebSocket("ws://api.twilio.com/_backlot/events", { createConnection: () => tls });
  const entry = new Promise<string>((resolve) => {
    live.on("message", (data) => String(data).includes('"request"') && resolve(String(data)));
  });
  await new Promise((resolve, reject) => live.once("open", resolve).once("error", reject));
  return { entry, end: () => live.terminate() };
}

test("a WebSocket goes through: the live journal under a real name", async () => {
  const { entry, end } = await watch(proxyUrl, ca);
  await absolute(proxyUrl, `http://api.twilio.com${messages()}`, { authorization: basic() });
  expect(await entry).toContain("Messages.json");
  end();
});

test("emulators in other processes: the same names, links, bodies and WebSockets", async () => {
  const away = start(["up", "--json", "--only", "twilio"], { env: { ...freePorts, BACKLOT_LOG_LEVEL: "silent" } });
  const { services } = JSON.parse(await away.line());
  const led = await createSuite({
    only: ["smtp"],
    environment: { BACKLOT_ATTACH: `twilio=${services.twilio.url}`, BACKLOT_LOG_LEVEL: "silent" },
  });
  onTestFinished(() => led.close());
  const url = led.services.gateway?.proxyUrl ?? "";
  const { environment } = (await (await led.control("GET", "/_backlot/env")).json()) as {
    environment: Record<string, string>;
  };
  const authorization = `Basic ${btoa(`${environment.TWILIO_ACCOUNT_SID}:${environment.TWILIO_AUTH_TOKEN}`)}`;
  const path = `/2010-04-01/Accounts/${environment.TWILIO_ACCOUNT_SID}/Messages.json`;
  const { socket } = await openTunnel(url, "api.twilio.com:443");
  const tls = await secure(socket, "api.twilio.com", led.certificates().caPem);
  const body = new URLSearchParams({
    To: "+12025550199",
    From: environment.TWILIO_PHONE_NUMBER ?? "",
    Body: "from afar",
  }).toString();
  const headers = { authorization, "content-type": "application/x-www-form-urlencoded" };
  for (const [name, value] of [
    ["content-length", String(body.length)],
    ["transfer-encoding", "chunked"],
  ] as const)
    expect(
      await ask(tls, path, { host: "api.twilio.com", method: "POST", headers: { ...headers, [name]: value }, body }),
    ).toMatchObject({ status: 201 });
  expect(await ask(tls, path, { host: "api.twilio.com", headers })).toMatchObject({
    status: 200,
    body: expect.stringContaining("from afar"),
  });
  expect(await absolute(url, `http://api.twilio.com${path}`, { authorization })).toMatchObject({ status: 200 });
  tls.destroy();
  const { entry, end } = await watch(url, led.certificates().caPem);
  await absolute(url, `http://api.twilio.com${path}`, { authorization });
  expect(await entry).toContain("Messages.json");
  end();
  away.child.kill("SIGTERM");
  await away.finished;
  expect(await absolute(url, `http://api.twilio.com${path}`, { authorization })).toMatchObject({
    status: 502,
    body: expect.stringContaining("does not answer"),
  });
});

test("closing the suite ends tunnels and frees the ports", async () => {
  const own = await createSuite({ only: ["smtp"], environment: { BACKLOT_LOG_LEVEL: "silent" } });
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close());
  const { socket } = await openTunnel(
    own.services.gateway?.proxyUrl ?? "",
    `127.0.0.1:${(server.address() as AddressInfo).port}`,
  );
  const ended = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  expect(own.gateway?.connections).toBe(1);
  await own.close();
  await ended;
  const again = connect(Number(new URL(own.services.gateway?.proxyUrl ?? "").port), "127.0.0.1");
  expect(
    await new Promise((resolve) => again.once("error", (cause: NodeJS.ErrnoException) => resolve(cause.code))),
  ).toBe("ECONNREFUSED");
});
