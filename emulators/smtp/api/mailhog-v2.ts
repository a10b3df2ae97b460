import type { Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerJson } from "../../kernel/exchange.ts";
import { isSearchKind, type SearchKind } from "../domain/mailhog-search.ts";
import { reject } from "../errors.ts";
import type { MailState } from "../state.ts";
import { renderPage } from "../wire/mailhog.ts";

const textJson = { "content-type": "text/json" };

export function mailhogV2(app: Hono<KernelEnv>, runtime: Runtime<MailState>): void {
  const { state } = runtime;

  app.get("/api/v2/messages", (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /api/v2/messages");
    const { start, limit } = pageOf(c.req.query("start"), c.req.query("limit"));
    const page = { total: state.count(), start, items: state.page(start, limit) };
    return answerJson(exchange, 200, renderPage(page), textJson);
  });

  app.get("/api/v2/search", async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /api/v2/search");
    const kind = c.req.query("kind") ?? "";
    const query = c.req.query("query") ?? "";
    if (!isSearchKind(kind)) return reject("badKind", kind);
    if (query === "") return reject("emptyQuery");
    const { start, limit } = pageOf(c.req.query("start"), c.req.query("limit"));
    const entries = await found(state, kind, query);
    // The bytes of the page's messages alone are read.
    const items = entries.slice(start, start + limit).flatMap(({ id }) => state.message(id) ?? []);
    return answerJson(exchange, 200, renderPage({ total: entries.length, start, items }));
  });

  app.get("/api/v2/outgoing-smtp", (c) => {
    c.env.exchange.note("operation", "GET /api/v2/outgoing-smtp");
    return answerJson(c.env.exchange, 200, {}, textJson);
  });
}

/** MailHog reads what is no positive number as if it were not there. */
export function pageOf(start: string | undefined, limit: string | undefined): { start: number; limit: number } {
  return { start: positive(start) ?? 0, limit: Math.min(positive(limit) ?? 50, 250) };
}

function positive(text: string | undefined): number | undefined {
  const number = text !== undefined && /^\+?\d{1,9}$/.test(text) ? Number(text) : 0;
  return number > 0 ? number : undefined;
}

/** `to` and `from` look at the envelope and at the header, `containing` at the undecoded message. */
async function found({ searcher }: MailState, kind: SearchKind, query: string) {
  const wanted = query.toLowerCase();
  switch (kind) {
    case "to":
      return await searcher.find({ tag: "fields", names: ["sentTo"], wanted });
    case "from":
      return await searcher.find({ tag: "fields", names: ["sentFrom"], wanted });
    case "containing":
      return await searcher.containing(query);
  }
}
