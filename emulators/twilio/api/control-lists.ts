/** Control routes that show what was written and said, whatever account it belongs to: newest first. */
import type { Hono } from "hono";
import * as z from "zod";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { answerJson, type Exchange } from "../../kernel/exchange.ts";
import { readQuery } from "../../kernel/http/input.ts";
import { call as callKind } from "../kinds.ts";
import { iso } from "../wire/dates.ts";
import type { TwilioRuntime } from "./call.ts";

const ListQuery = z.strictObject({ limit: z.coerce.number().int().min(1).max(10_000).default(500) });

export function listRoutes(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  app.get("/messages", ({ env: { exchange } }) => messages(runtime, exchange));
  app.get("/calls", ({ env: { exchange } }) => calls(runtime, exchange));
}

function messages({ state }: TwilioRuntime, exchange: Exchange): Response {
  const { limit } = readQuery(exchange, ListQuery);
  return answerJson(exchange, 200, {
    total: state.messageStatuses().reduce((sum, { count }) => sum + count, 0),
    messages: state.recentMessages(limit).map((message) => ({
      sid: message.sid,
      direction: message.direction,
      from: message.from,
      to: message.to,
      body: message.body,
      media: message.numMedia,
      status: message.status,
      errorCode: message.errorCode,
      messagingServiceSid: message.messagingServiceSid,
      createdAt: iso(message.createdAt),
      updatedAt: iso(message.updatedAt),
    })),
  });
}

function calls({ state }: TwilioRuntime, exchange: Exchange): Response {
  const { limit } = readQuery(exchange, ListQuery);
  return answerJson(exchange, 200, {
    calls: state.recentResources(callKind, limit).map(({ sid, createdAt, updatedAt, data }) => ({
      sid,
      direction: data.direction,
      from: data.from,
      to: data.to,
      status: data.status,
      seconds: data.seconds,
      waitingFor: data.script?.waiting?.tag ?? null,
      createdAt: iso(createdAt),
      updatedAt: iso(updatedAt),
    })),
  });
}
