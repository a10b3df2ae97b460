/** MailDev 2's REST calls as cypress-maildev makes them, and MailDev 3's. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { mailServer } from "../smtp/mail-server.ts";
import { dotStuffed, queuedId, rawClient } from "../smtp/raw-client.ts";

let server: Awaited<ReturnType<typeof mailServer>>;
beforeAll(async () => {
  server = await mailServer({ BACKLOT_MAILDEV_PORT: "0" });
});
afterAll(() => server.close());
const call = (method: string, path: string, body?: unknown) =>
  fetch(server.url + path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
beforeEach(() => call("DELETE", "/email/all"));

async function send(wire: string | Buffer, to = ["bob@example.org"]): Promise<string> {
  const client = await rawClient(server.port);
  const id = queuedId(await client.mail("ann@example.com", to, dotStuffed(whole(wire))));
  client.end();
  return id;
}
/** Ends with a line end, as DATA wants it. */
const whole = (wire: string | Buffer) =>
  Buffer.from(typeof wire !== "string" || wire.endsWith("\r\n") ? wire : `${wire}\r\n`);
const sample = (name: string) => readFile(new URL(`../../fixtures/mail/${name}.eml`, import.meta.url));

test("an email has MailDev 2's fields; reading one marks it", async () => {
  const id = await send(
    "From: Ann <ann@example.com>\r\nTo: bob@example.org\r\nSubject: Hello\r\nMessage-ID: <m@example.com>\r\nDate: Wed, 15 Jan 2025 11:00:00 +0000\r\n\r\nHi\r\n",
    ["bob@example.org", "eve@example.net"],
  );
  expect(await server.json("/email")).toEqual([
    {
      text: "Hi\n",
      headers: {
        from: "Ann <ann@example.com>",
        to: "bob@example.org",
        subject: "Hello",
        "message-id": "<m@example.com>",
        date: "Wed, 15 Jan 2025 11:00:00 +0000",
      },
      subject: "Hello",
      messageId: "m@example.com",
      priority: "normal",
      from: [{ address: "ann@example.com", name: "Ann" }],
      to: [{ address: "bob@example.org", name: "" }],
      date: "2025-01-15T11:00:00.000Z",
      id,
      time: "2025-01-15T11:00:00.000Z",
      read: false,
      envelope: {
        from: { address: "ann@example.com", args: false },
        to: [
          { address: "bob@example.org", args: false },
          { address: "eve@example.net", args: false },
        ],
        host: "client.test",
        remoteAddress: "127.0.0.1",
      },
      source: `${id}.eml`,
      size: 140,
      sizeHuman: "140 bytes",
      attachments: null,
      calculatedBcc: [{ address: "eve@example.net", name: "" }],
    },
  ]);
  expect(await server.json(`/email/${id}`)).toMatchObject({ id, read: true });
  expect(await server.json("/email?read=true")).toHaveLength(1);
  const unknown = await call("GET", "/email/nobody");
  expect([unknown.status, await unknown.json()]).toEqual([404, { error: "Email was not found" }]);
});

test("oldest first, skip, and filters by path", async () => {
  const [one, two] = [
    await send("Subject: one\r\nFrom: a@x.test\r\n\r\nx"),
    await send("Subject: two\r\nFrom: b@x.test\r\n\r\nx"),
  ];
  const found = async (query: string) =>
    ((await server.json(`/email${query}`)) as { id: string }[]).map(({ id }) => id);
  expect(await found("")).toEqual([one, two]);
  expect(await found("?skip=1")).toEqual([two]);
  expect(await found("?from.address=b@x.test")).toEqual([two]);
  expect(await found("?subject=one&from.address=b@x.test")).toEqual([]);
  expect(await (await call("PATCH", "/email/read-all")).json()).toBe(2);
  expect(await (await call("DELETE", `/email/${one}`)).json()).toBe(true);
  expect((await call("DELETE", `/email/${one}`)).status).toBe(500);
  for (const file of ["source", "download", "attachment/x"]) {
    const gone = await call("GET", `/email/${one}/${file}`);
    expect([gone.status, await gone.json()]).toEqual([404, "File not found"]);
  }
  expect(await found("")).toEqual([two]);
});

test("html with its images, source, download and attachments", async () => {
  const raw = await sample("alternative-inline-image");
  const id = await send(raw);
  const html = await (await call("GET", `/email/${id}/html`)).text();
  const place = /src="([^"]*\/attachment\/[^"]+)"/.exec(html)?.[1] ?? "";
  const image = await fetch(place);
  expect([image.status, image.headers.get("content-type")]).toEqual([200, "image/png"]);
  for (const kind of ["source", "download"])
    expect(Buffer.from(await (await call("GET", `/email/${id}/${kind}`)).arrayBuffer()).equals(raw)).toBe(true);
  const relay = await call("POST", `/email/${id}/relay/someone@example.com`);
  expect(relay.status).toBe(500);
  expect(await server.json("/config")).toMatchObject({ smtpPort: server.port, isOutgoingEnabled: false });
  expect(await server.json("/healthz")).toBe(true);
});

test("version 3 under /api, alone on a port and under /maildev", async () => {
  const ids = [await send("Subject: first\r\n\r\nfindme"), await send("Subject: second\r\n\r\nx")];
  await call("GET", `/api/email/${ids[1]}`);
  expect(await server.json("/api/email/summary?search=findme")).toMatchObject({
    total: 1,
    storeTotal: 2,
    unread: 1,
    items: [{ id: ids[0], preview: "findme", attachmentCount: 0 }],
  });
  expect(await server.json("/api/email/summary?unread=true&limit=1")).toMatchObject({
    total: 1,
    skip: 0,
    limit: 1,
    items: [{ id: ids[0] }],
  });
  expect(await server.json("/api/email?sort=desc&limit=1")).toMatchObject([{ id: ids[1], attachments: [] }]);
  expect(await (await call("POST", "/api/email/delete", { ids: [ids[0], "nobody"] })).json()).toEqual({
    deleted: [ids[0]],
    notFound: ["nobody"],
  });
  expect(await server.json("/maildev/email")).toMatchObject([{ id: ids[1] }]);
  const alone = await fetch(`http://127.0.0.1:${server.portOf("maildev")}/email`);
  expect(await alone.json()).toMatchObject([{ id: ids[1] }]);
});

// What MailDev 2.2.1 and 3.0.0 answered to the same mails.
test("an invitation has its calendar beside the text in version 2, and attachments have what is known of them", async () => {
  const part = (head: string, body: string) => `--b\r\n${head}\r\n\r\n${body}\r\n`;
  await send(
    `Subject: Invitation\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${[
      part("Content-Type: text/plain", "plain"),
      part("Content-Type: text/calendar; method=REQUEST", "BEGIN:VCALENDAR\r\nEND:VCALENDAR"),
      part("Content-Type: text/csv; name=a.csv\r\nContent-Disposition: attachment; filename=a.csv", "a,b\r\nc,d"),
      part("Content-Type: image/png\r\nContent-ID: <two@x>\r\nContent-Transfer-Encoding: base64", "iVBORw0KGgo="),
    ].join("")}--b--\r\n`,
  );
  expect(await server.json("/email")).toMatchObject([
    {
      text: "plain",
      alternatives: [{ contentType: "text/calendar", content: "BEGIN:VCALENDAR\nEND:VCALENDAR" }],
      attachments: [
        { fileName: "a.csv", contentDisposition: "attachment", length: 8 },
        { contentType: "image/png", contentId: "two@x", transferEncoding: "base64", length: 8 },
      ],
    },
  ]);
  const [second] = (await server.json("/email")) as { attachments: object[] }[];
  expect(second?.attachments[1]).not.toHaveProperty("fileName");
  expect(await server.json("/api/email")).toMatchObject([
    {
      attachments: [
        { contentType: "text/calendar", contentDisposition: "attachment" },
        { filename: "a.csv", size: 8 },
        { contentId: "two@x", contentDisposition: "attachment" },
      ],
    },
  ]);
});

test("version 3 has its own words for what is not there", async () => {
  const id = await send("Subject: plain\r\n\r\nx\r\n");
  const refused = async (method: string, path: string, body?: unknown) => {
    const response = await call(method, path, body);
    return [response.status, await response.json()];
  };
  const unknown = { error: "Email was not found" };
  expect(await refused("DELETE", "/api/email/nobody")).toEqual([404, unknown]);
  expect(await refused("GET", "/api/email/nobody/source")).toEqual([404, unknown]);
  expect(await refused("GET", `/api/email/${id}/html`)).toEqual([404, { error: "Email has no HTML content" }]);
  expect(await refused("GET", `/api/email/${id}/attachment/x`)).toEqual([404, { error: "Attachment not found" }]);
  const needed = { error: "Request body must include an ids array of email IDs" };
  for (const body of [{}, { ids: "x" }, { ids: [" "] }])
    expect(await refused("POST", "/api/email/delete", body)).toEqual([400, needed]);
  expect(await refused("POST", "/api/email/delete", { ids: [id, id, "x", "x"] })).toEqual([
    200,
    { deleted: [id], notFound: ["x"] },
  ]);
  expect(await server.json("/api/config")).toMatchObject({ outgoingHost: null });
});

test("a summary's search is a text, its page is 50 unless it says, and its preview is of the text", async () => {
  await send(
    'Subject: to:nobody\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<h1>Hi</h1><p>-x <a href="https://x.test">go</a>',
  );
  await send("Subject: other\r\n\r\nx y\r\nz\r\n");
  const summary = (query: string) => server.json(`/api/email/summary?${query}`);
  expect(await summary("search=to:nobody")).toMatchObject({ total: 1, items: [{ subject: "to:nobody" }] });
  expect(await summary("search=-x")).toMatchObject({ total: 1, items: [{ subject: "to:nobody" }] });
  expect(await summary("search=from:nobody")).toMatchObject({ total: 0 });
  expect(await summary("search=(")).toMatchObject({ total: 0 });
  expect(await summary("limit=0")).toMatchObject({
    limit: 50,
    items: [{ preview: "x y z", sizeHuman: "26 Bytes" }, {}],
  });
  expect(await server.json("/api/email?subject=to:nobody")).toMatchObject([{ text: "HI\n\n-x go [https://x.test]" }]);
});

test("pages of a summary, in either order, of all and of what is unread", async () => {
  for (const subject of ["a", "b", "c", "d", "e"]) await send(`Subject: ${subject}\r\n\r\nx`);
  const [newest] = (await server.json("/email?subject=e")) as { id: string }[];
  await call("GET", `/email/${newest?.id}`);
  const page = async (query: string) => {
    const { items, total, unread } = (await server.json(`/api/email/summary?${query}`)) as {
      items: { subject: string }[];
      total: number;
      unread: number;
    };
    return [items.map(({ subject }) => subject).join(""), total, unread];
  };
  expect(await page("limit=2")).toEqual(["ed", 5, 4]);
  expect(await page("skip=1&limit=2")).toEqual(["dc", 5, 4]);
  expect(await page("skip=4&limit=2")).toEqual(["a", 5, 4]);
  expect(await page("skip=5")).toEqual(["", 5, 4]);
  for (const search of ["", "&search=x"]) {
    expect(await page(`sort=asc&limit=2${search}`)).toEqual(["ab", 5, 4]);
    expect(await page(`sort=asc&skip=3&limit=9${search}`)).toEqual(["de", 5, 4]);
    expect(await page(`sort=asc&skip=9${search}`)).toEqual(["", 5, 4]);
    expect(await page(`unread=true&limit=2${search}`)).toEqual(["dc", 4, 4]);
    expect(await page(`unread=true&sort=asc&skip=2${search}`)).toEqual(["cd", 4, 4]);
  }
});
