import type { Hono } from "hono";
import * as z from "zod";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answer, answerJson, type Exchange } from "../../kernel/exchange.ts";
import type { Found } from "../domain/found.ts";
import type { Mail } from "../domain/mail.ts";
import { type DottedFilter, dottedFilter } from "../domain/maildev-filter.ts";
import type { MessageSummary } from "../domain/message.ts";
import { MaildevError } from "../errors.ts";
import { markAllRead, markRead, removeAll, removeMessage, removeMessages } from "../mailbox.ts";
import { configuredRelay, isAddress, release } from "../release.ts";
import type { MailState } from "../state.ts";
import { generatedFileName, renderEmail, renderEmailV3, renderShort } from "../wire/maildev.ts";
import { answerBytes, filenameParameter, harmless, partHeaders } from "./content.ts";

type App = Hono<KernelEnv>;
type MailRuntime = Runtime<MailState>;
type Version = "v2" | "v3";

const versionSpoken = { v2: "2.2.1", v3: "3.0.0" } as const;
const everything = -1;
const Deletion = z.object({ ids: z.array(z.string()) });

/** MailDev's REST API: version 2 at the base path, version 3 under /api. */
export function maildev(app: App, runtime: MailRuntime): void {
  for (const version of ["v2", "v3"] as const) {
    lists(app, runtime, version);
    one(app, runtime, version);
    contents(app, runtime, version);
    changes(app, runtime, version);
    about(app, runtime, version);
  }
}

const base = (version: Version) => (version === "v2" ? "" : "/api");
const renderers = { v2: renderEmail, v3: renderEmailV3 } as const;

function lists(app: App, runtime: MailRuntime, version: Version): void {
  const { state } = runtime;
  const at = `${base(version)}/email`;

  app.get(at, async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", `GET ${at}`);
    const { skip, limit, sort, filter } = listQuery(exchange, version);
    const newest = state.summaryPage({ start: 0, limit: everything });
    const ordered = sort === "desc" ? newest : newest.toReversed();
    const end = limit === undefined ? undefined : skip + limit;
    if (filter === undefined)
      return answerJson(exchange, 200, await emails(runtime, ordered.slice(skip, end), version));
    const all = await emails(runtime, ordered, version);
    return answerJson(exchange, 200, all.filter(filter).slice(skip, end));
  });

  if (version === "v2") return;
  app.get("/api/email/summary", async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /api/email/summary");
    const query = new URL(exchange.target, "http://localhost").searchParams;
    const skip = whole(query.get("skip")) ?? 0;
    const limit = Math.min(whole(query.get("limit")) ?? 50, 200);
    const search = (query.get("search") ?? "").trim().toLowerCase();
    const { matching, unread } = await matches(state, search);
    const chosen = query.get("unread") === "true" ? unread : matching;
    const ordered = query.get("sort") === "asc" ? [...chosen].toReversed() : chosen;
    const shown = ordered.slice(skip, skip + limit).flatMap(({ id }) => state.summary(id) ?? []);
    const items = await Promise.all(
      shown.map(async (message) => renderShort(message, await state.reader.gist(message), state.isRead(message.id))),
    );
    return answerJson(exchange, 200, {
      items,
      total: chosen.length,
      storeTotal: state.count(),
      unread: unread.length,
      skip,
      limit,
    });
  });
}

type Ids = Pick<Found<{ readonly id: string }>, "length" | "slice" | typeof Symbol.iterator>;

async function matches(state: MailState, search: string): Promise<{ readonly matching: Ids; readonly unread: Ids }> {
  if (search === "") {
    const matching = state.summaryPage({ start: 0, limit: everything });
    return { matching, unread: matching.filter(({ id }) => !state.isRead(id)) };
  }
  const matching = await state.searcher.search(`"${search}"`, undefined);
  return { matching, unread: matching.and({ tag: "marked", ...state.readMarks(), negated: true }) };
}

function listQuery(exchange: Exchange, version: Version) {
  const query = new URL(exchange.target, "http://localhost").searchParams;
  const [skip, limit, sort] = [query.get("skip"), query.get("limit"), query.get("sort")];
  const own = version === "v2" ? ["skip"] : ["skip", "limit", "sort"];
  const fields = [...query].filter(([name]) => !own.includes(name));
  const filter: DottedFilter | undefined = fields.length === 0 ? undefined : dottedFilter(fields);
  return {
    skip: whole(skip) ?? 0,
    limit: version === "v3" ? whole(limit) : undefined,
    sort: version === "v3" ? sort : "asc",
    filter,
  };
}

async function emails(runtime: MailRuntime, messages: readonly MessageSummary[], version: Version) {
  const { reader, isRead } = runtime.state;
  const rendered = [];
  for (const message of messages) {
    const mail = await reader.mail(message.id);
    if (mail !== undefined) rendered.push(renderers[version](message, mail, isRead(message.id)));
  }
  return rendered;
}

function whole(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

async function existing(
  runtime: MailRuntime,
  exchange: Exchange,
  id: string | undefined,
): Promise<{ message: MessageSummary; mail: Mail }> {
  exchange.note("resource", id);
  const message = id === undefined ? undefined : runtime.state.summary(id);
  const mail = message === undefined || message.truncated ? undefined : await runtime.state.reader.mail(message.id);
  if (message === undefined || mail === undefined) throw new MaildevError(404, "Email was not found");
  return { message, mail };
}

function one(app: App, runtime: MailRuntime, version: Version): void {
  const at = `${base(version)}/email/:id`;

  app.get(at, async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", `GET ${base(version)}/email/{id}`);
    const { message, mail } = await existing(runtime, exchange, c.req.param("id"));
    markRead(runtime, [message.id], true);
    return answerJson(exchange, 200, renderers[version](message, mail, true));
  });

  app.get(`${at}/html`, async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", `GET ${base(version)}/email/{id}/html`);
    const { message, mail } = await existing(runtime, exchange, c.req.param("id"));
    const places = new Map(
      mail.parts.filter(({ contentId }) => contentId !== "").map((part) => [part.contentId, generatedFileName(part)]),
    );
    const html = mail.html.replaceAll(/src=(["'])cid:([^"']+)\1/g, (whole, _quote, id: string) => {
      const name = places.get(id);
      return name === undefined
        ? whole
        : `src="${exchange.base}${base(version)}/email/${message.id}/attachment/${name}"`;
    });
    return answer(exchange, 200, html, { ...harmless, "content-type": "text/html; charset=utf-8" });
  });
}

function contents(app: App, runtime: MailRuntime, version: Version): void {
  const { state } = runtime;
  const at = `${base(version)}/email/:id`;

  app.get(`${at}/source`, async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", `GET ${base(version)}/email/{id}/source`);
    const { message } = await existing(runtime, exchange, c.req.param("id"));
    return answerBytes(exchange, state.content(message.id) ?? [], {
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
    });
  });

  app.get(`${at}/download`, async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", `GET ${base(version)}/email/{id}/download`);
    const { message } = await existing(runtime, exchange, c.req.param("id"));
    return answerBytes(exchange, state.content(message.id) ?? [], {
      "content-type": "message/rfc822",
      "content-disposition": `attachment; ${filenameParameter(`${message.id}.eml`)}`,
    });
  });

  app.get(`${at}/attachment/:name`, async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", `GET ${base(version)}/email/{id}/attachment/{name}`);
    const { mail } = await existing(runtime, exchange, c.req.param("id"));
    const part = mail.parts.find((candidate) => generatedFileName(candidate) === c.req.param("name"));
    if (part === undefined) return answerJson(exchange, 404, "File not found");
    return answerBytes(exchange, [Buffer.from(part.content)], partHeaders(part.contentType, part.filename));
  });
}

function changes(app: App, runtime: MailRuntime, version: Version): void {
  const { state } = runtime;
  const at = `${base(version)}/email`;

  app.patch(`${at}/read-all`, (c) => {
    c.env.exchange.note("operation", `PATCH ${at}/read-all`);
    const unread = state.count() - state.readCount();
    markAllRead(runtime, true);
    return answerJson(c.env.exchange, 200, unread);
  });

  app.delete(`${at}/all`, (c) => {
    c.env.exchange.note("operation", `DELETE ${at}/all`);
    removeAll(runtime);
    return answerJson(c.env.exchange, 200, true);
  });

  app.delete(`${at}/:id`, (c) => {
    c.env.exchange.note("operation", `DELETE ${at}/{id}`);
    if (!removeMessage(runtime, c.req.param("id") ?? "")) throw new MaildevError(500, "Email not found");
    return answerJson(c.env.exchange, 200, true);
  });

  for (const path of [`${at}/:id/relay`, `${at}/:id/relay/:to`]) {
    app.post(path, async (c) => {
      const { exchange } = c.env;
      exchange.note("operation", `POST ${at}/{id}/relay/{to}`);
      const { message } = await existing(runtime, exchange, c.req.param("id"));
      const server = configuredRelay(runtime);
      if (server === undefined) throw new MaildevError(500, "Outgoing mail not configured: nothing leaves the machine");
      const to = c.req.param("to");
      if (to !== undefined && !isAddress(to)) throw new MaildevError(400, `Incorrect email address provided: ${to}`);
      const recipients = to === undefined ? message.recipients.map(({ address }) => address) : [to];
      const outcome = await release(runtime, message, { ...server, recipients });
      if (outcome.tag !== "sent") throw new MaildevError(500, outcome.reason);
      return answerJson(exchange, 200, true);
    });
  }

  if (version === "v2") return;
  app.post("/api/email/delete", (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "POST /api/email/delete");
    const ids = idsOf(exchange);
    const known = ids.filter((id) => state.has(id));
    removeMessages(runtime, known);
    return answerJson(exchange, 200, { deleted: known, notFound: ids.filter((id) => !known.includes(id)) });
  });
}

function idsOf(exchange: Exchange): readonly string[] {
  try {
    return Deletion.parse(JSON.parse(exchange.body.toString("utf8"))).ids;
  } catch {
    throw new MaildevError(400, "ids must be a list of message ids");
  }
}

function about(app: App, runtime: MailRuntime, version: Version): void {
  const { state } = runtime;
  const at = base(version);

  app.get(`${at}/config`, (c) => {
    c.env.exchange.note("operation", `GET ${at}/config`);
    const relay = configuredRelay(runtime);
    const port = [...state.listeners].find(({ name }) => name === "smtp")?.port ?? 0;
    return answerJson(c.env.exchange, 200, {
      version: versionSpoken[version],
      smtpPort: port,
      isOutgoingEnabled: relay !== undefined,
      ...(relay !== undefined && { outgoingHost: relay.host }),
    });
  });
  for (const path of [`${at}/healthz`, `${at}/reloadMailsFromDirectory`]) {
    app.get(path, (c) => {
      c.env.exchange.note("operation", `GET ${path}`);
      return answerJson(c.env.exchange, 200, true);
    });
  }
}
