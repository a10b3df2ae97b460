/** Two hundred messages that break readers: kept to the byte, listed by every dialect, and nobody else is held up. */
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { corpus } from "../smtp/corpus.ts";
import { mailServer } from "../smtp/mail-server.ts";
import { dotStuffed, queuedId, rawClient } from "../smtp/raw-client.ts";

let server: Awaited<ReturnType<typeof mailServer>>;
const ids = new Map<string, string>();
beforeAll(async () => {
  server = await mailServer();
  const client = await rawClient(server.port);
  for (const [name, bytes] of corpus)
    ids.set(name, queuedId(await client.mail("ann@example.com", ["bob@example.org"], dotStuffed(bytes))));
  client.end();
});
afterAll(() => server.close());

test("there are two hundred", () => {
  expect(corpus.length).toBeGreaterThanOrEqual(200);
});

test("each is kept to the byte", async () => {
  for (const [name, bytes] of corpus) expect((await server.raw(ids.get(name) ?? "")).equals(bytes), name).toBe(true);
});

test("each is read by every dialect", async () => {
  for (const [name, id] of ids) {
    for (const path of [
      `/api/v1/message/${id}`,
      `/api/v1/message/${id}/headers`,
      `/email/${id}`,
      `/api/v1/messages/${id}`,
      `/_backlot/smtp/messages/${id}`,
      `/_backlot/smtp/messages/${id}/codes`,
    ])
      expect((await fetch(server.url + path)).status, `${name} ${path}`).toBe(200);
  }
});

test("lists and searches hold all of them, and no answer takes long", async () => {
  const List = z.object({ total: z.number(), messages: z.array(z.unknown()) });
  const began = performance.now();
  const list = List.parse(await server.json("/api/v1/messages?limit=1000"));
  expect([list.total, list.messages.length]).toEqual([corpus.length, corpus.length]);
  expect(z.array(z.unknown()).parse(await server.json("/email"))).toHaveLength(corpus.length);
  expect(z.object({ total: z.number() }).parse(await server.json("/api/v2/messages?limit=250")).total).toBe(
    corpus.length,
  );
  expect(
    z.object({ messages_count: z.number() }).parse(await server.json("/api/v1/search?query=is:read")).messages_count,
  ).toBe(corpus.length);
  expect(performance.now() - began).toBeLessThan(10_000);
  expect((await server.json("/_backlot/journal?kind=incident")) as { entries: unknown[] }).toMatchObject({
    entries: [],
  });
});
