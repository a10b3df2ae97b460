import type { Hono } from "hono";
import * as z from "zod";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answer, answerJson, type Exchange } from "../../kernel/exchange.ts";
import { withPartAddresses } from "../domain/cid-addresses.ts";
import type { Mail } from "../domain/mail.ts";
import { type DottedFilter, dottedFilter } from "../domain/maildev-filter.ts";
import type { MessageSummary } from "../domain/message.ts";
import { MaildevError } from "../errors.ts";
import { markAllRead, markRead, removeAll, removeMessage, removeMessages } from "../mailbox.ts";
import { configuredRelay, isAddress, release } from "../release.ts";
import type { MailState } from "../state.ts";
import { generatedFileName, renderEmail, renderEmailV3 } from "../wire/maildev.ts";
import { answerBytes, filenameParameter, harmless, partHeaders } from "./content.ts";
import { maildevSummary, whole } from "./maildev-summary.ts";

type App = Hono<KernelEnv>;
type MailRuntime = Runtime<MailState>;
type Version = "v2" | "v3";

const versionSpoken = { v2: "2.2.1", v3: "3.0.0" } as const;
const everything = -1;
const Deletion = z.object({ ids: z.array(z.string().trim().min(1)) });

/** MailDev's REST API: version 2 at the base path, version 3 under /api. */
export function maildev(app: App, runtime: MailRuntime): void {
  maildevSummary(app, runtime); // before /api/email/:id, which would take it for an id
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
    if (mail.html === "" && version === "v3") throw new MaildevError(404, "Email has no HTML content");
    const files = `${exchange.base}${base(version)}/email/${message.id}/attachment`;
    const html = withPartAddresses(mail, (part) => `${files}/${generatedFileName(part)}`);
    return answer(exchange, 200, html, { ...harmless, "content-type": "text/html; charset=utf-8" });
  });
}

function contents(app: App, runtime: MailRuntime, version: Version): void {
  const { state } = runtime;
  const at = `${base(version)}/email/:id`;
  const fileOf = (exchange: Exchange, id: string | undefined) => {
    exchange.note("resource", id);
    const message = id === undefined ? undefined : state.summary(id);
    return message === undefined || message.truncated ? undefined : message.id;
  };
  /** Version 2 says the same of every file, and not as an object. */
  const noFile = (exchange: Exchange, error = "Email was not found") =>
    answerJson(exchange, 404, version === "v2" ? "File not found" : { error });

  app.get(`${at}/source`, async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", `GET ${base(version)}/email/{id}/source`);
    const id = fileOf(exchange, c.req.param("id"));
    if (id === undefined) return noFile(exchange);
    return answerBytes(exchange, state.content(id) ?? [], {
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
    });
  });

  app.get(`${at}/download`, async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", `GET ${base(version)}/email/{id}/download`);
    const id = fileOf(exchange, c.req.param("id"));
    if (id === undefined) return noFile(exchange);
    return answerBytes(exchange, state.content(id) ?? [], {
      "content-type": "message/rfc822",
      "content-disposition": `attachment; ${filenameParameter(`${id}.eml`)}`,
    });
  });

  app.get(`${at}/attachment/:name`, async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", `GET ${base(version)}/email/{id}/attachment/{name}`);
    const id = fileOf(exchange, c.req.param("id"));
    const mail = id === undefined ? undefined : await state.reader.mail(id);
    if (mail === undefined) return noFile(exchange);
    const part = mail.parts.find((candidate) => generatedFileName(candidate) === c.req.param("name"));
    if (part === undefined) return noFile(exchange, "Attachment not found");
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
    if (!removeMessage(runtime, c.req.param("id") ?? ""))
      throw version === "v2" ? new MaildevError(500, "Email not found") : new MaildevError(404, "Email was not found");
    return answerJson(c.env.exchange, 200, true);
  });

  for (const path of [`${at}/:id/relay`, `${at}/:id/relay/:to`]) {
    app.post(path, async (c) => {
      const { exchange } = c.env;
      exchange.note("operation", `POST ${at}/{id}/relay/{to}`);
      const { message } = await existing(runtime, exchange, c.req.param("id"));
      const to = c.req.param("to");
      if (to !== undefined && !isAddress(to)) throw new MaildevError(400, `Incorrect email address provided: ${to}`);
      const server = configuredRelay(runtime);
      if (server === undefined) throw new MaildevError(500, "Outgoing mail not configured: nothing leaves the machine");
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
    const known = new Set(ids.filter((id) => state.has(id)));
    removeMessages(runtime, [...known]);
    return answerJson(exchange, 200, { deleted: [...known], notFound: ids.filter((id) => !known.has(id)) });
  });
}

/** Each once. */
function idsOf(exchange: Exchange): readonly string[] {
  try {
    return [...new Set(Deletion.parse(JSON.parse(exchange.body.toString("utf8"))).ids)];
  } catch {
    throw new MaildevError(400, "Request body must include an ids array of email IDs");
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
      ...((relay !== undefined || version === "v3") && { outgoingHost: relay?.host ?? null }),
    });
  });
  for (const path of [`${at}/healthz`, `${at}/reloadMailsFromDirectory`]) {
    app.get(path, (c) => {
      c.env.exchange.note("operation", `GET ${path}`);
      return answerJson(c.env.exchange, 200, true);
    });
  }
}
