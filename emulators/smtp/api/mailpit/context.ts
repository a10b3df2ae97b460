import type { Hono } from "hono";
import type * as z from "zod";
import type { KernelEnv, Runtime } from "../../../kernel/emulator.ts";
import { answer, type Exchange } from "../../../kernel/exchange.ts";
import type { MessageSummary } from "../../domain/message.ts";
import { MailpitError } from "../../errors.ts";
import type { MailState } from "../../state.ts";
import { type MailpitSummary, renderSummary } from "../../wire/mailpit.ts";

export type App = Hono<KernelEnv>;
export type MailRuntime = Runtime<MailState>;

/** Mailpit answers every success with 200 and `ok` unless there is something to tell. */
export function ok(exchange: Exchange): Response {
  return answer(exchange, 200, "ok", { "content-type": "text/plain" });
}

export function queryOf(exchange: Exchange): URLSearchParams {
  const at = exchange.target.indexOf("?");
  return new URLSearchParams(at === -1 ? "" : exchange.target.slice(at + 1));
}

/** What is no whole number from 0 on is as if it were not there. */
export function wholeNumber(text: string | null, otherwise: number): number {
  return text !== null && /^\d{1,9}$/.test(text.trim()) ? Number(text) : otherwise;
}

const largestBody = 5 * 2 ** 20;

/** A JSON body in Go's way: an absent field is its zero value, an unknown one is ignored. */
export function bodyOf<T extends z.ZodType>(exchange: Exchange, schema: T): z.output<T> {
  if (exchange.body.length > largestBody) throw new MailpitError(400, "http: request body too large");
  const parsed = schema.safeParse(jsonOf(exchange));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new MailpitError(400, `json: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not as expected"}`);
}

export function jsonOf(exchange: Exchange): unknown {
  if (exchange.body.length === 0) throw new MailpitError(400, "EOF");
  try {
    return JSON.parse(exchange.body.toString("utf8"));
  } catch (cause) {
    throw new MailpitError(400, cause instanceof Error ? cause.message : String(cause));
  }
}

export async function summaryOf(runtime: MailRuntime, message: MessageSummary): Promise<MailpitSummary> {
  const { state } = runtime;
  const gist = await state.reader.gist(message);
  return renderSummary(message, gist, { read: state.isRead(message.id), tags: state.tagsOf(message.id) });
}

/** The message of that id, or the latest (matching `query`) for `latest`; 404 as Mailpit has it. */
export async function messageOf(runtime: MailRuntime, exchange: Exchange, id: string): Promise<MessageSummary> {
  const { state } = runtime;
  exchange.note("resource", id);
  const found = id === "latest" ? await latest(runtime, exchange) : state.summary(id);
  if (found === undefined || found.truncated) throw new MailpitError(404, "404 page not found");
  return found;
}

async function latest(runtime: MailRuntime, exchange: Exchange): Promise<MessageSummary | undefined> {
  const { state } = runtime;
  const query = queryOf(exchange);
  const search = (query.get("query") ?? "").trim();
  if (search === "") return state.summaryPage({ start: 0, limit: 1 })[0];
  const [entry] = await state.searcher.search(search, query.get("tz") ?? undefined);
  return entry && state.summary(entry.id);
}
