import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { corpus } from "../smtp/corpus.ts";
import { mailServer } from "../smtp/mail-server.ts";
import { dotStuffed, queuedId, rawClient } from "../smtp/raw-client.ts";

let server: Awaited<ReturnType<typeof mailServer>>;
beforeAll(async () => {
  server = await mailServer();
});
afterAll(() => server.close());
beforeEach(() => fetch(`${server.url}/api/v1/messages`, { method: "DELETE" }));

const Page = z.object({
  total: z.number(),
  count: z.number(),
  start: z.number(),
  items: z.array(z.object({ ID: z.string(), Raw: z.object({ From: z.string() }) }).loose()),
});
const page = async (path: string) => Page.parse(await server.json(path));

async function send(wire: string | Buffer, from = "ann@example.com", to = ["bob@example.org"]): Promise<string> {
  const client = await rawClient(server.port);
  const id = queuedId(await client.mail(from, to, dotStuffed(Buffer.from(wire))));
  client.end();
  return id;
}
const sample = (name: string) => readFile(new URL(`../../fixtures/mail/${name}.eml`, import.meta.url));

describe("messages", () => {
  test("the exact shape of a plain message", async () => {
    const id = await send("From: Ann <ann@example.com>\r\nSubject: =?utf-8?q?a?=\r\n\r\nhello\r\n");
    const response = await fetch(`${server.url}/api/v2/messages`);
    expect(response.headers.get("content-type")).toBe("text/json");
    expect(await response.json()).toEqual({
      total: 1,
      count: 1,
      start: 0,
      items: [
        {
          ID: `${id}@mailhog.example`,
          From: { Relays: null, Mailbox: "ann", Domain: "example.com", Params: "" },
          To: [{ Relays: null, Mailbox: "bob", Domain: "example.org", Params: "" }],
          Content: {
            Headers: {
              From: ["Ann <ann@example.com>"],
              "Message-ID": [`${id}@mailhog.example`],
              Received: [
                `from client.test by mailhog.example (MailHog)\r\n          id ${id}@mailhog.example; Wed, 15 Jan 2025 12:00:00 +0000`,
              ],
              "Return-Path": ["<ann@example.com>"],
              Subject: ["=?utf-8?q?a?="],
            },
            Body: "hello",
            Size: 60,
            MIME: null,
          },
          Created: "2025-01-15T12:00:00Z",
          MIME: null,
          Raw: {
            From: "ann@example.com",
            To: ["bob@example.org"],
            Data: "From: Ann <ann@example.com>\r\nSubject: =?utf-8?q?a?=\r\n\r\nhello",
            Helo: "client.test",
          },
        },
      ],
    });
  });

  test("pages are newest first; what is no positive number is not there", async () => {
    for (const name of ["a", "b", "c"]) await send("x\r\n", `${name}@example.com`);
    const senders = async (query: string) =>
      (await page(`/api/v2/messages${query}`)).items.map((item) => item.Raw.From[0]);
    expect(await senders("")).toEqual(["c", "b", "a"]);
    expect(await senders("?start=1&limit=1")).toEqual(["b"]);
    expect(await senders("?start=-1&limit=zero")).toEqual(["c", "b", "a"]);
    expect(await page("/api/v2/messages?start=3")).toMatchObject({ total: 3, count: 0, start: 3, items: [] });
    expect(await server.json("/mailhog/api/v1/messages")).toHaveLength(3);
  });

  test("one by its id, bare, with host, URL-encoded; an unknown one is null; deletes", async () => {
    const id = await send("x\r\n");
    for (const form of [id, `${id}@mailhog.example`, `${id}%40mailhog.example`]) {
      expect(await server.json(`/api/v1/messages/${form}`)).toMatchObject({ ID: `${id}@mailhog.example` });
    }
    expect(await server.json("/api/v1/messages/nobody")).toBeNull();
    const remove = () => fetch(`${server.url}/api/v1/messages/${id}%40mailhog.example`, { method: "DELETE" });
    expect((await remove()).status).toBe(200);
    expect((await remove()).status).toBe(500);
    expect(await page("/api/v2/messages")).toMatchObject({ total: 0, items: [] });
  });

  test("bytes survive the download; a part comes decoded, with its headers, and may run nothing", async () => {
    const raw = await sample("attachment");
    const id = await send(raw);
    const download = await fetch(`${server.url}/api/v1/messages/${id}/download`);
    expect(download.headers.get("content-type")).toBe("message/rfc822");
    expect(Buffer.from(await download.arrayBuffer()).equals(raw)).toBe(true);
    const part = await fetch(`${server.url}/api/v1/messages/${id}/mime/part/1/download`);
    expect(part.headers.get("content-type")).toBe("text/csv; name=figures.csv");
    expect(part.headers.get("content-security-policy")).toContain("sandbox");
    expect(await part.text()).toBe("month,total\r\nJanuary,1200\r\n");
    expect((await fetch(`${server.url}/api/v1/messages/${id}/mime/part/9/download`)).status).toBe(404);
  });

  test("parts of an alternative with an inline image", async () => {
    const id = await send(await sample("alternative-inline-image"));
    expect(await server.json(`/api/v1/messages/${id}`)).toMatchObject({
      Content: { MIME: null },
      MIME: {
        Parts: [
          { Headers: { "Content-Type": ["text/plain; charset=utf-8"] }, MIME: null },
          { MIME: { Parts: [{ Headers: { "Content-Type": ["text/html; charset=utf-8"] } }, {}, { Body: "--" }] } },
          { Body: "--", Size: 2 },
        ],
      },
    });
  });
});

describe("search", () => {
  test("from, to and containing look where MailHog looks, in any case", async () => {
    await send("From: Header Person <h@h.test>\r\nTo: Listed <l@l.test>\r\nX-Tag: needle\r\n\r\nThe Body\r\n");
    const total = async (query: string) => (await page(`/api/v2/search?${query}`)).total;
    expect(await total("kind=from&query=ANN@")).toBe(1);
    expect(await total("kind=from&query=header person")).toBe(1);
    expect(await total("kind=to&query=bob%40EXAMPLE")).toBe(1);
    expect(await total("kind=to&query=l@l.test")).toBe(1);
    expect(await total("kind=to&query=ann")).toBe(0);
    expect(await total("kind=containing&query=the body")).toBe(1);
    expect(await total("kind=containing&query=NEEDLE")).toBe(1);
    expect(await total("kind=containing&query=x-tag")).toBe(0);
  });

  test("containing finds what a scan of the undecoded messages finds", async () => {
    const client = await rawClient(server.port);
    const bodies = new Map<string, string>();
    for (const [, bytes] of corpus.filter((entry) => entry[1].length < 100_000)) {
      const id = queuedId(await client.mail("ann@example.com", ["bob@example.org"], dotStuffed(bytes)));
      const end = bytes.indexOf("\r\n\r\n");
      bodies.set(id, bytes.toString("utf8", end === -1 ? 0 : end + 4).toLowerCase());
    }
    client.end();
    for (const query of [
      "body",
      "x\r\n",
      "--b\r\n",
      "content-type: text/html",
      "<p>two",
      "qapla",
      "a\0b",
      "one",
      "é",
      "zz=4",
    ]) {
      const found = (await server.json(
        `/api/v2/search?kind=containing&limit=250&query=${encodeURIComponent(query)}`,
      )) as { total: number; items: { ID: string; Content: { Headers: Record<string, string[]> } }[] };
      const ids = new Set(found.items.map(({ ID }) => ID.split("@")[0]));
      expect(found.total).toBe(ids.size);
      const missed = [...bodies].filter(([id, body]) => body.includes(query) && !ids.has(id));
      expect(missed, query).toEqual([]);
      // What else was found has it in a value of its header.
      for (const { ID, Content } of found.items)
        if (!bodies.get(ID.split("@")[0] ?? "")?.includes(query))
          expect(Object.values(Content.Headers).flat().join("\n").toLowerCase(), query).toContain(query);
    }
  });

  test("pages of what was found; a bad kind or no query is 400", async () => {
    for (let n = 0; n < 3; n += 1) await send(`n ${n}\r\n`);
    expect(await page("/api/v2/search?kind=to&query=bob&start=1&limit=1")).toMatchObject({
      total: 3,
      count: 1,
      start: 1,
    });
    for (const query of ["kind=subject&query=x", "kind=to&query=", "query=x"]) {
      expect((await fetch(`${server.url}/api/v2/search?${query}`)).status).toBe(400);
    }
  });
});

describe("the rest", () => {
  test("GET / says what this is; nothing is relayed and there is no Jim", async () => {
    expect(await (await fetch(server.url)).text()).toContain("/api/v2/messages");
    expect(await server.json("/api/v2/outgoing-smtp")).toEqual({});
    expect((await fetch(`${server.url}/api/v2/jim`)).status).toBe(404);
  });

  test("unknown routes and methods are told what is there", async () => {
    const unknown = await fetch(`${server.url}/api/v3/messages`);
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({
      error: "not_found",
      hint: expect.stringContaining("/api/v2"),
    });
    const method = await fetch(`${server.url}/api/v2/messages`, { method: "PUT" });
    expect(method.status).toBe(405);
    expect(method.headers.get("allow")).toContain("GET");
  });

  test("the control API lists, shows and empties the mailbox", async () => {
    const id = await send(await sample("utf8-subject"));
    expect(await server.json("/_backlot/smtp/messages")).toMatchObject({
      total: 1,
      messages: [{ id, from: "ann@example.com", to: ["bob@example.org"], subject: "Grüße aus Köln ✉" }],
    });
    expect((await fetch(`${server.url}/_backlot/smtp/messages/nobody/raw`)).status).toBe(404);
    const removed = await fetch(`${server.url}/_backlot/smtp/messages`, { method: "DELETE" });
    expect(await removed.json()).toEqual({ deleted: 1 });
  });

  test("health answers for the listener and the store", async () => {
    const health = await (await fetch(`${server.url}/_backlot/health`)).json();
    expect(JSON.stringify(health)).not.toContain("unhealthy");
  });
});
