/** The npm client mailpit-api, unmodified. */
import { readFile } from "node:fs/promises";
import { MailpitClient } from "mailpit-api";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { mailServer } from "../smtp/mail-server.ts";
import { dotStuffed, queuedId, rawClient } from "../smtp/raw-client.ts";

let server: Awaited<ReturnType<typeof mailServer>>;
let mailpit: MailpitClient;
beforeAll(async () => {
  server = await mailServer();
  mailpit = new MailpitClient(server.url);
});
afterAll(() => server.close());
beforeEach(() => mailpit.deleteMessages());

async function send(wire: string | Buffer, from = "ann@example.com", to = ["bob@example.org"]): Promise<string> {
  const client = await rawClient(server.port);
  const id = queuedId(await client.mail(from, to, dotStuffed(whole(wire))));
  client.end();
  return id;
}
/** Ends with a line end, as DATA wants it. */
const whole = (wire: string | Buffer) =>
  Buffer.from(typeof wire !== "string" || wire.endsWith("\r\n") ? wire : `${wire}\r\n`);
const sample = (name: string) => readFile(new URL(`../../fixtures/mail/${name}.eml`, import.meta.url));
const ids = (list: { messages: { ID: string }[] }) => list.messages.map(({ ID }) => ID);

describe("lists", () => {
  test("a summary names every field as Mailpit does", async () => {
    const id = await send(
      "From: Ann <ann@example.com>\r\nTo: Bob <bob@example.org>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <m1@example.com>\r\n\r\nHello   there\r\n",
      "ann@example.com",
      ["bob@example.org", "eve@example.net"],
    );
    expect(await mailpit.listMessages()).toEqual({
      total: 1,
      unread: 1,
      count: 1,
      messages_count: 1,
      messages_unread: 1,
      start: 0,
      tags: [],
      messages: [
        {
          ID: id,
          MessageID: "m1@example.com",
          Read: false,
          From: { Name: "Ann", Address: "ann@example.com" },
          To: [{ Name: "Bob", Address: "bob@example.org" }],
          Cc: null,
          Bcc: [{ Name: "", Address: "eve@example.net" }],
          ReplyTo: [],
          Subject: "Grüße",
          Created: "2025-01-15T12:00:00.000Z",
          Username: "",
          Tags: [],
          Size: 141,
          Attachments: 0,
          Snippet: "Hello there",
        },
      ],
    });
  });

  test("pages are newest first; read status by id, by search and for all", async () => {
    const [first, second, third] = [
      await send("Subject: one\r\n\r\nx"),
      await send("Subject: two\r\n\r\nx"),
      await send("Subject: three\r\n\r\nx"),
    ];
    expect(ids(await mailpit.listMessages(0, 2))).toEqual([third, second]);
    expect(ids(await mailpit.listMessages(2, 2))).toEqual([first]);
    expect(await mailpit.setReadStatus({ IDs: [first], Read: true })).toBe("ok");
    await mailpit.setReadStatus({ Search: "subject:two", Read: true });
    expect(ids(await mailpit.searchMessages({ query: "is:unread" }))).toEqual([third]);
    await mailpit.setReadStatus({ Read: true });
    expect((await mailpit.listMessages()).unread).toBe(0);
    await mailpit.setReadStatus();
    expect((await mailpit.listMessages()).unread).toBe(3);
    expect(await mailpit.deleteMessages({ IDs: [second] })).toBe("ok");
    expect(ids(await mailpit.listMessages())).toEqual([third, first]);
  });

  test("search finds addresses, subject, text, tags, sizes and dates; a minus takes away", async () => {
    const plain = await send(
      "From: Ann <ann@example.com>\r\nTo: x+signup@example.org\r\nSubject: Your receipt\r\n\r\nThe total is 42 EUR\r\n",
    );
    const html = await send(
      'From: shop@example.net\r\nSubject: Sale\r\nContent-Type: text/html\r\n\r\n<p>Half <b>price</b> &amp; more <a href="https://shop.example/sale?id=7">here</a></p>\r\n',
      "shop@example.net",
    );
    const found = async (query: string) => ids(await mailpit.searchMessages({ query }));
    expect(await found("receipt")).toEqual([plain]);
    expect(await found('"total is 42"')).toEqual([plain]);
    expect(await found("from:ANN@example")).toEqual([plain]);
    expect(await found("half price & more")).toEqual([html]);
    expect(await found("shop.example/sale?id=7")).toEqual([html]);
    expect(await found("-receipt")).toEqual([html]);
    expect(await found("!from:ann subject:sale")).toEqual([html]);
    expect(await found("tag:signup")).toEqual([plain]);
    expect(await found("is:tagged")).toEqual([plain]);
    expect(await found("bcc:bob addressed:shop")).toEqual([html]);
    expect(await found("larger:1k")).toEqual([]);
    expect(await found("smaller:1mb after:2025-01-15 before:2025-01-16")).toEqual([html, plain]);
    expect(await found("after:2025-01-16")).toEqual([]);
    await mailpit.deleteMessagesBySearch({ query: "subject:sale" });
    expect(await found("example")).toEqual([plain]);
    await expect(mailpit.searchMessages({ query: "" })).rejects.toThrow("400");
  });

  test("tags are set, renamed and deleted; a message brings its own", async () => {
    const id = await send("X-Tags: Invoice, due\r\nSubject: x\r\n\r\nx");
    expect(await mailpit.getTags()).toEqual(["due", "Invoice"]);
    await mailpit.setTags({ IDs: [id], Tags: ["Alpha"] });
    await mailpit.renameTag("alpha", "Beta");
    expect((await mailpit.listMessages()).messages[0]?.Tags).toEqual(["Beta"]);
    await mailpit.renameTag("Beta", "Beta");
    expect(await mailpit.getTags()).toEqual(["Beta"]);
    await mailpit.deleteTag("Beta");
    expect(await mailpit.getTags()).toEqual([]);
  });

  test("a tag is one whatever its capitals", async () => {
    const [one, two] = [await send("X-Tags: News, b\r\n\r\nx"), await send("X-Tags: news\r\n\r\nx")];
    expect(await mailpit.getTags()).toEqual(["b", "News"]);
    expect((await mailpit.getInfo()).Tags).toEqual({ b: 1, News: 2 });
    await mailpit.renameTag("NEWS", "B");
    expect(await mailpit.getTags()).toEqual(["B"]);
    expect(ids(await mailpit.searchMessages({ query: "tag:b" }))).toEqual([two, one]);
    await mailpit.deleteTag("b");
    expect(await mailpit.getTags()).toEqual([]);
    await expect(mailpit.deleteTag("b")).rejects.toThrow("tag not found");
  });
});

describe("one message", () => {
  test("the latest is read, with its parts, and is read from then on", async () => {
    const raw = await sample("alternative-inline-image");
    const id = await send(raw);
    const message = await mailpit.getMessageSummary();
    expect(message).toMatchObject({ ID: id, ReturnPath: "ann@example.com", Attachments: [] });
    expect(message.Text).not.toBe("");
    expect(message.HTML).toContain("cid:");
    expect(message.Inline).toHaveLength(1);
    const [image] = message.Inline;
    const part = await mailpit.getMessageAttachment(id, image?.PartID ?? "");
    expect([part.type, part.size]).toEqual([image?.ContentType, image?.Size]);
    expect((await mailpit.listMessages()).unread).toBe(0);
    const html = await mailpit.renderMessageHTML(id);
    expect(html).toContain(`/api/v1/message/${id}/part/${image?.PartID}`);
    const page = await fetch(`${server.url}/view/${id}.html`);
    expect(page.headers.get("content-security-policy")).toContain("sandbox");
  });

  test("headers, exact source and attachments", async () => {
    const raw = await sample("attachment");
    const id = await send(raw);
    expect(await mailpit.getMessageSource(id)).toBe(raw.toString("utf8"));
    const headers = await mailpit.getMessageHeaders("latest");
    expect(headers["Mime-Version"]).toEqual(["1.0"]);
    const message = await mailpit.getMessageSummary(id);
    expect(message.Attachments).toMatchObject([{ PartID: "2", FileName: "figures.csv", ContentType: "text/csv" }]);
    const part = await mailpit.getMessageAttachment(id, "2");
    expect(await part.text()).toBe("month,total\r\nJanuary,1200\r\n");
    await expect(mailpit.getMessageSummary("nobody")).rejects.toThrow("404");
  });

  test("parts are attachments, inline or neither, and every view counts them alike", async () => {
    const part = (head: string) => `--b\r\n${head}\r\n\r\nx\r\n`;
    const mixed = (...heads: string[]) =>
      `MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${heads.map(part).join("")}--b--\r\n`;
    const invitation = await send(
      mixed(
        "Content-Type: text/plain",
        "Content-Type: text/calendar; method=REQUEST",
        "Content-Type: application/ics\r\nContent-Disposition: attachment; filename=invite.ics",
      ),
    );
    const report = await send(mixed("Content-Type: text/plain", "Content-Type: message/delivery-status"));
    const pictures = await send(
      mixed(
        "Content-Type: image/png\r\nContent-ID: <one@x>",
        "Content-Type: image/png\r\nContent-ID: <two@x>\r\nContent-Disposition: inline",
        "Content-Type: application/octet-stream; name=three",
      ),
    );
    const names = async (id: string) => {
      const { Attachments, Inline } = await mailpit.getMessageSummary(id);
      return [Attachments.map(({ FileName }) => FileName), Inline.map(({ FileName }) => FileName)];
    };
    expect(await names(invitation)).toEqual([["invite.ics"], []]);
    expect(await names(report)).toEqual([[], []]);
    expect(await names(pictures)).toEqual([["three"], ["two@x", "one@x"]]);
    expect((await mailpit.listMessages()).messages.map(({ Attachments }) => Attachments)).toEqual([1, 0, 1]);
    expect(ids(await mailpit.searchMessages({ query: "has:attachment" }))).toEqual([pictures, invitation]);
    expect(ids(await mailpit.searchMessages({ query: "has:inline" }))).toEqual([pictures]);
    expect((await mailpit.getMessageSummary(report)).From).toEqual({ Name: "", Address: "" });
  });

  test("a message of HTML alone has a text to read", async () => {
    const id = await send(
      "Content-Type: text/html\r\n\r\n<h1>Welcome</h1><p>Your code is <b>123456</b><p><a href='https://app.example/?a=1&amp;b=2'>Confirm</a>",
    );
    const text = "*******\nWelcome\n*******\n\nYour code is *123456*\n\nConfirm ( https://app.example/?a=1&b=2 )";
    expect((await mailpit.getMessageSummary(id)).Text).toBe(text);
    expect(await mailpit.renderMessageText(id)).toBe(text);
  });

  test("waitForMessage sees what comes later", async () => {
    const waiting = mailpit.waitForMessage({ query: "subject:later" }, { interval: 20 });
    const id = await send("Subject: later\r\n\r\nx");
    expect((await waiting).ID).toBe(id);
  });

  test("list-unsubscribe is read and judged", async () => {
    await send(
      "List-Unsubscribe: <https://example.com/u?a=1>, <mailto:u@example.com>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nx",
    );
    expect((await mailpit.getMessageSummary()).ListUnsubscribe).toEqual({
      Header: "<https://example.com/u?a=1>, <mailto:u@example.com>",
      Links: ["https://example.com/u?a=1", "mailto:u@example.com"],
      Errors: "",
      HeaderPost: "List-Unsubscribe=One-Click",
    });
  });
});

describe("what it sends and says", () => {
  test("send composes a message that reads back the same", async () => {
    const { ID } = await mailpit.sendMessage({
      From: { Email: "ann@example.com", Name: 'Änn, "A"' },
      To: [{ Email: "bob@example.org", Name: "Bob" }],
      Bcc: ["eve@example.net"],
      Subject: "Grüße ✉ und ein langer Betreff, der nicht in ein einziges kodiertes Wort passt",
      Text: "Hallo Wörld",
      HTML: '<p>Hallo <img src="cid:logo"></p>',
      Headers: { "X-Campaign": "spring" },
      Tags: ["spring"],
      Attachments: [
        { Content: Buffer.from("a,b\n").toString("base64"), Filename: "dätä.csv", ContentType: "text/csv" },
        {
          Content: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]).toString("base64"),
          Filename: "logo.png",
          ContentID: "logo",
        },
      ],
    });
    const message = await mailpit.getMessageSummary(ID);
    expect(message).toMatchObject({
      From: { Name: 'Änn, "A"', Address: "ann@example.com" },
      Bcc: [{ Address: "eve@example.net" }],
      Subject: "Grüße ✉ und ein langer Betreff, der nicht in ein einziges kodiertes Wort passt",
      Text: "Hallo Wörld",
      HTML: '<p>Hallo <img src="cid:logo"></p>',
      Tags: ["spring"],
      Attachments: [{ FileName: "dätä.csv", ContentType: "text/csv", Size: 4 }],
      Inline: [{ FileName: "logo.png", ContentType: "image/png", ContentID: "logo", Size: 8 }],
    });
    const source = await mailpit.getMessageSource(ID);
    expect(source).toContain("X-Campaign: spring\r\n");
    expect(source.split("\r\n").every((line) => line.length <= 998)).toBe(true);
    await expect(mailpit.sendMessage({ From: { Email: "a@b.c" }, To: [{ Email: "no address" }] })).rejects.toThrow(
      "invalid To address",
    );
  });

  test("info counts; nothing is relayed, called or looked up", async () => {
    const id = await send('Subject: x\r\nContent-Type: text/html\r\n\r\n<a href="https://outside.example/">x</a>');
    expect(await mailpit.getInfo()).toMatchObject({
      Messages: 1,
      Unread: 1,
      RuntimeStats: { SMTPAccepted: expect.any(Number) },
    });
    expect(await mailpit.getConfiguration()).toMatchObject({ MessageRelay: { Enabled: false }, SpamAssassin: false });
    expect(await mailpit.linkCheck(id)).toMatchObject({
      Errors: 1,
      Links: [{ URL: "https://outside.example/", StatusCode: 451 }],
    });
    await expect(mailpit.releaseMessage(id, { To: ["x@example.com"] })).rejects.toThrow("not enabled");
    await expect(mailpit.spamAssassinCheck(id)).rejects.toThrow("not enabled");
  });

  test("metrics and the description name what is there", async () => {
    await fetch(`${server.url}/api/v1/send`, {
      method: "POST",
      body: JSON.stringify({ From: { Email: "a@x.test" }, To: [{ Email: "b@x.test" }], Tags: ["paid"], Text: "x" }),
    });
    const { total, unread } = (await server.json("/api/v1/messages")) as { total: number; unread: number };
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain(`\nmailpit_messages ${total}\n`);
    expect(metrics).toContain(`mailpit_messages_unread ${unread}\n`);
    expect(metrics).toContain('mailpit_tag_counters{tag="paid"} 1\n');
    const Swagger = z.object({
      swagger: z.literal("2.0"),
      basePath: z.string(),
      paths: z.record(z.string(), z.unknown()),
    });
    for (const [prefix, base] of [
      ["", "/"],
      ["/mailpit", "/mailpit"],
    ] as const) {
      const { basePath, paths } = Swagger.parse(await server.json(`${prefix}/api/v1/swagger.json`));
      expect(basePath).toBe(base);
      expect(Object.keys(paths["/api/v1/messages"] ?? {}).sort()).toEqual(["delete", "get", "put"]);
      expect(paths).toHaveProperty(["/api/v1/message/{id}/part/{part}"]);
      expect(paths).not.toHaveProperty(["/api/v2/messages"]);
    }
  });

  test("the same under /mailpit", async () => {
    const id = await send("Subject: prefixed\r\n\r\nx");
    const prefixed = new MailpitClient(`${server.url}/mailpit`);
    expect(ids(await prefixed.searchMessages({ query: "prefixed" }))).toEqual([id]);
  });
});
