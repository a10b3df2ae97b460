/** What the dialects show live: Mailpit's and MailHog's WebSocket, MailDev's Socket.IO through its own client. */
import { once } from "node:events";
import { io } from "socket.io-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { mailServer } from "../smtp/mail-server.ts";
import { queuedId, rawClient } from "../smtp/raw-client.ts";

let server: Awaited<ReturnType<typeof mailServer>>;
beforeAll(async () => {
  server = await mailServer({ BACKLOT_MAILHOG_PORT: "0", BACKLOT_MAILDEV_PORT: "0" });
});
afterAll(() => server.close());
afterEach(() => server.reset());

async function send(subject: string, to = "bob@example.org"): Promise<string> {
  const client = await rawClient(server.port);
  const id = queuedId(await client.mail("ann@example.com", [to], `Subject: ${subject}\r\nTo: ${to}\r\n\r\nx\r\n`));
  client.end();
  return id;
}
const call = (method: string, path: string, body?: unknown) =>
  fetch(server.url + path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });

/** Everything a WebSocket is told, in order. */
async function watch(url: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(url, { headers });
  const frames: unknown[] = [];
  socket.on("message", (data) => frames.push(JSON.parse(String(data))));
  await once(socket, "open");
  return { frames, socket };
}
const at = (port: number, path: string) => `ws://127.0.0.1:${port}${path}`;

describe("Mailpit", () => {
  test.each(["/api/events", "/mailpit/api/events"])("%s tells what happens, then the totals", async (path) => {
    const { frames, socket } = await watch(at(server.portOf("mailbox"), path));
    const of = (type: string) =>
      (frames as { Type: string; Data: unknown }[]).flatMap((frame) => (frame.Type === type ? [frame.Data] : []));
    const id = await send("hello");
    await expect.poll(() => of("new")).toMatchObject([{ ID: id, Subject: "hello", Read: false, Size: 42 }]);
    await expect.poll(() => of("stats").at(-1)).toMatchObject({ Total: 1, Unread: 1 });
    await call("GET", `/api/v1/message/${id}`);
    await expect.poll(() => of("update")).toEqual([{ ID: id, Read: true }]);
    await call("PUT", "/api/v1/tags", { IDs: [id], Tags: ["seen"] });
    await expect.poll(() => of("update").at(-1)).toEqual({ ID: id, Tags: ["seen"] });
    await call("PUT", "/api/v1/tags/seen", { Name: "known" });
    await expect.poll(() => of("prune")).toEqual([null]);
    await call("PUT", "/api/v1/messages", { Read: false });
    await expect.poll(() => of("stats").at(-1)).toMatchObject({ Total: 1, Unread: 1 });
    await call("DELETE", "/api/v1/messages", { IDs: [id] });
    await expect.poll(() => of("delete")).toEqual([{ ID: id }]);
    await call("DELETE", "/api/v1/messages");
    await expect.poll(() => of("prune")).toEqual([null, null]);
    await expect.poll(() => of("stats").at(-1)).toMatchObject({ Total: 0, Unread: 0 });
    socket.close();
  });

  test("new messages keep their order, however many come at once", async () => {
    const { frames, socket } = await watch(at(server.portOf("mailbox"), "/api/events"));
    const names = Array.from({ length: 40 }, (_, n) => `mail ${n}`);
    await Promise.all(names.map((name) => send(name)));
    const shown = () => (frames as { Type: string; Data: { ID: string } }[]).filter(({ Type }) => Type === "new");
    await expect.poll(() => shown().length).toBe(names.length);
    const list = (await server.json("/api/v1/messages?limit=100")) as { messages: { ID: string }[] };
    expect(shown().map(({ Data }) => Data.ID)).toEqual(list.messages.map(({ ID }) => ID).toReversed());
    socket.close();
  });
});

test.each([
  "/api/v2/websocket",
  "/mailhog/api/v2/websocket",
])("MailHog: %s has a frame for each message", async (path) => {
  const { frames, socket } = await watch(at(server.portOf("mailbox"), path));
  const id = await send("hog");
  await expect.poll(() => frames).toHaveLength(1);
  expect(frames[0]).toEqual(await server.json(`/api/v1/messages/${id}`));
  socket.close();
});

describe("MailDev", () => {
  test.each([
    ["polling, then WebSocket", {}],
    ["polling alone", { transports: ["polling"] }],
    ["WebSocket alone", { transports: ["websocket"] }],
  ])("socket.io-client by %s", async (_, options) => {
    const socket = io(`http://127.0.0.1:${server.portOf("maildev")}`, { ...options, forceNew: true });
    const seen: [string, unknown][] = [];
    socket.onAny((event, data) => seen.push([event, data]));
    await new Promise<void>((resolve) => socket.on("connect", resolve));
    const first = await send("one");
    const second = await send("two");
    await expect
      .poll(() => seen)
      .toMatchObject([
        ["newMail", { id: first, subject: "one", text: "x\n", attachmentCount: 0, preview: "x" }],
        ["newMail", { id: second, subject: "two" }],
      ]);
    await call("DELETE", `/email/${second}`);
    await call("DELETE", "/email/all");
    await expect
      .poll(() => seen.slice(2))
      .toEqual([
        ["deleteMail", { id: second, index: 1 }],
        ["deleteMail", { id: "all" }],
      ]);
    expect(socket.connected).toBe(true);
    socket.close();
  });

  test("a client that does not speak the protocol is told so", async () => {
    const refused = async (query: string) => {
      const response = await fetch(`${server.url}/socket.io/?${query}`);
      return [response.status, await response.json()];
    };
    expect(await refused("EIO=3&transport=polling")).toEqual([
      400,
      { code: 5, message: "Unsupported protocol version" },
    ]);
    expect(await refused("EIO=4&transport=carrier-pigeon")).toEqual([400, { code: 0, message: "Transport unknown" }]);
    expect(await refused("EIO=4&transport=polling&sid=nobody")).toEqual([
      400,
      { code: 1, message: "Session ID unknown" },
    ]);
    const other = io(`${server.url}/admin`, { forceNew: true, reconnection: false });
    const [problem] = await new Promise<[Error]>((resolve) => other.on("connect_error", (...args) => resolve(args)));
    expect(problem.message).toBe("Invalid namespace");
    other.close();
  });
});

describe("who may watch", () => {
  const refusal = (path: string, headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      const socket = new WebSocket(at(server.portOf("mailbox"), path), { headers });
      socket.on("unexpected-response", (_, response) => resolve(response.statusCode ?? 0));
      socket.on("open", () => reject(new Error("it was let in")));
      socket.on("error", () => {});
    });

  test.each([
    "/api/events",
    "/api/v2/websocket",
    "/socket.io/?EIO=4&transport=websocket",
  ])("%s: no foreign page, no other host", async (path) => {
    expect(await refusal(path, { origin: "https://evil.example" })).toBe(403);
    expect(await refusal(path, { host: "evil.example" })).toBe(421);
  });

  test("real mode shows nothing; a path that is nobody's is plain HTTP", async () => {
    await call("PUT", "/_backlot/mode", { mode: "real" });
    expect(await refusal("/api/events", {})).toBe(503);
    await call("PUT", "/_backlot/mode", { mode: "mock" });
    expect(await refusal("/api/v9/events", {})).toBe(404);
  });
});
