/**
 * The least that answering like Twilio takes on the same stack: Basic auth, the form, its check, a row in an in-memory
 * SQLite, an HMAC-SHA1 signature and 0.7 KB of JSON; a keyed select for one message and for the newest 50.
 */
import { createHmac, randomBytes } from "node:crypto";
import { createAdaptorServer } from "@hono/node-server";
import BetterSqlite from "better-sqlite3";
import { Hono } from "hono";
import * as z from "zod";
import { accountSid, authorization, authToken } from "./account.ts";
import { announce } from "./listen.ts";

interface Row {
  readonly id: number;
  readonly sid: string;
  readonly account: string;
  readonly sender: string;
  readonly recipient: string;
  readonly body: string;
  readonly created: number;
}

const CreateMessage = z.object({
  To: z.string().regex(/^\+\d{8,15}$/),
  From: z.string().regex(/^\+\d{8,15}$/),
  Body: z.string().min(1).max(1600),
  StatusCallback: z.url().optional(),
  ValidityPeriod: z.coerce.number().int().optional(),
});

const db = new BetterSqlite(":memory:");
db.exec(`
  CREATE TABLE messages (id INTEGER PRIMARY KEY, sid TEXT NOT NULL UNIQUE, account TEXT NOT NULL, sender TEXT NOT NULL,
    recipient TEXT NOT NULL, body TEXT NOT NULL, created INTEGER NOT NULL);
  CREATE INDEX messages_by_account ON messages (account, id DESC);
`);
const insert = db.prepare(
  "INSERT INTO messages (sid, account, sender, recipient, body, created) VALUES (?, ?, ?, ?, ?, ?)",
);
const bySid = db.prepare("SELECT * FROM messages WHERE account = ? AND sid = ?");
const newest = db.prepare("SELECT * FROM messages WHERE account = ? ORDER BY id DESC LIMIT ?");

const app = new Hono();
app.use("*", async (c, next) => {
  if (c.req.header("authorization") !== authorization) return c.json({ code: 20003, status: 401 }, 401);
  return next();
});
app.post("/2010-04-01/Accounts/:account/Messages.json", async (c) => {
  const parameters = Object.fromEntries(new URLSearchParams(await c.req.text()));
  const { To, From, Body } = CreateMessage.parse(parameters);
  const sid = `SM${randomBytes(16).toString("hex")}`;
  const created = Date.now();
  const { lastInsertRowid } = insert.run(sid, accountSid, From, To, Body, created);
  const signed = Object.keys(parameters)
    .sort()
    .reduce((text, name) => text + name + parameters[name], c.req.url);
  c.header("x-signature", createHmac("sha1", authToken).update(signed).digest("base64"));
  return c.json(
    render({ id: Number(lastInsertRowid), sid, account: accountSid, sender: From, recipient: To, body: Body, created }),
    201,
  );
});
app.get("/2010-04-01/Accounts/:account/Messages.json", (c) => {
  const size = Number(c.req.query("PageSize") ?? 50);
  const messages = (newest.all(c.req.param("account"), size) as Row[]).map(render);
  return c.json({ messages, page: 0, page_size: size, uri: c.req.path, next_page_uri: null });
});
app.get("/2010-04-01/Accounts/:account/Messages/:file", (c) => {
  const row = bySid.get(c.req.param("account"), c.req.param("file").slice(0, -".json".length)) as Row | undefined;
  return row ? c.json(render(row)) : c.json({ code: 20404, status: 404 }, 404);
});

/** Twilio's body of a message: 20 fields. */
function render(row: Row) {
  const uri = `/2010-04-01/Accounts/${row.account}/Messages/${row.sid}`;
  const date = new Date(row.created).toUTCString();
  return {
    account_sid: row.account,
    api_version: "2010-04-01",
    body: row.body,
    date_created: date,
    date_sent: null,
    date_updated: date,
    direction: "outbound-api",
    error_code: null,
    error_message: null,
    from: row.sender,
    messaging_service_sid: null,
    num_media: "0",
    num_segments: "1",
    price: null,
    price_unit: "USD",
    sid: row.sid,
    status: "queued",
    subresource_uris: { media: `${uri}/Media.json` },
    to: row.recipient,
    uri: `${uri}.json`,
  };
}

const server = createAdaptorServer({ fetch: app.fetch });
server.listen(0, "127.0.0.1", () => announce(server.address()));
