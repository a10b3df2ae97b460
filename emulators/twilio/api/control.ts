/** Control routes under `/_backlot/twilio`: what the outside world does - writes, calls, presses keys, hangs up. */
import { Hono } from "hono";
import * as z from "zod";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { answerJson, type Exchange } from "../../kernel/exchange.ts";
import { readBody } from "../../kernel/http/input.ts";
import { isOver } from "../domain/call.ts";
import { partyOf } from "../domain/call-draft.ts";
import { isChannel, parseChannel, parseRecipient } from "../domain/phone-numbers.ts";
import { call as callKind, verification, verifyService } from "../kinds.ts";
import { renderCall } from "../wire/call.ts";
import { iso } from "../wire/dates.ts";
import { renderMessage } from "../wire/message.ts";
import type { TwilioRuntime } from "./call.ts";
import type { PhoneCall } from "./call-life.ts";
import { giveInput, hangUp } from "./call-script.ts";
import { listRoutes } from "./control-lists.ts";
import { receiveCall } from "./inbound-calls.ts";
import { receiveMessage } from "./inbound-messages.ts";
import { applyRates } from "./sending-rate.ts";

const party = z.string().min(1).max(200);
const MessageInput = z.strictObject({
  from: party,
  to: party,
  body: z.string().max(1_600).default(""),
  mediaUrls: z.array(z.url()).max(10).default([]),
});
const CallInput = z.strictObject({ from: party, to: party });
const RatesInput = z.strictObject({ apply: z.boolean() });
const KeysInput = z
  .strictObject({
    digits: z
      .string()
      .regex(/^[0-9A-D#*]{1,64}$/)
      .optional(),
    speech: z.string().max(1_000).optional(),
    confidence: z.number().min(0).max(1).optional(),
  })
  .refine(({ digits, speech }) => (digits === undefined) !== (speech === undefined), "either digits or speech");

export function controlRoutes(runtime: TwilioRuntime): Hono<KernelEnv> {
  const app = new Hono<KernelEnv>();
  app.post("/inbound-messages", ({ env: { exchange } }) => inboundMessage(runtime, exchange));
  app.post("/inbound-calls", ({ env: { exchange } }) => inboundCall(runtime, exchange));
  app.post("/calls/:sid/input", (c) => input(runtime, c.env.exchange, c.req.param("sid")));
  app.post("/calls/:sid/hangup", (c) => hangup(runtime, c.env.exchange, c.req.param("sid")));
  app.put("/sending-rates", ({ env: { exchange } }) => rates(runtime, exchange));
  listRoutes(app, runtime);
  app.get("/verifications", ({ env: { exchange } }) => verifications(runtime, exchange));
  return app;
}

function refused(exchange: Exchange, status: number, error: string, message: string): Response {
  return answerJson(exchange, status, { error, message });
}

/** Whether senders are as slow as carriers make them. */
function rates(runtime: TwilioRuntime, exchange: Exchange): Response {
  const { apply } = readBody(exchange, RatesInput);
  runtime.store.write(() => applyRates(runtime, apply));
  return answerJson(exchange, 200, { apply });
}

/** Somebody writes to one of the numbers. */
function inboundMessage(runtime: TwilioRuntime, exchange: Exchange): Response {
  const sent = readBody(exchange, MessageInput);
  const addressOf = (text: string) => parseChannel(text)?.value ?? parseRecipient(text) ?? text;
  const from = addressOf(sent.from);
  // Who writes by WhatsApp reaches the number's sender there.
  const to = addressOf(isChannel(from) && !isChannel(sent.to) ? `whatsapp:${sent.to}` : sent.to);
  const message = runtime.store.write(() =>
    receiveMessage(runtime, { from, to, body: sent.body, mediaUrls: sent.mediaUrls, at: exchange.at }),
  );
  if (!message) return refused(exchange, 404, "unknown_number", `No active account has the number ${sent.to}.`);
  const shown: unknown = JSON.parse(renderMessage(message, { now: exchange.at, extension: ".json" }));
  return answerJson(exchange, 201, shown);
}

function inboundCall(runtime: TwilioRuntime, exchange: Exchange): Response {
  const sent = readBody(exchange, CallInput);
  const [from, to] = [partyOf(sent.from) ?? sent.from, partyOf(sent.to) ?? sent.to];
  const call = runtime.store.write(() => receiveCall(runtime, from, to, exchange.at));
  if (!call) return refused(exchange, 404, "unknown_number", `No active account has the number ${sent.to}.`);
  return answerJson(exchange, 201, renderCall(call, ".json"));
}

/** The person on the line presses keys or speaks. */
function input(runtime: TwilioRuntime, exchange: Exchange, sid: string): Response {
  const keys = readBody(exchange, KeysInput);
  const call = live(runtime, sid);
  if (!call) return refused(exchange, 404, "unknown_call", `No call ${sid} is under way.`);
  const heard = runtime.store.write(() => giveInput(runtime, call, keys, exchange.at));
  if (!heard) return refused(exchange, 409, "not_listening", `The call ${sid} is in no Gather or Record.`);
  return answerJson(exchange, 200, { heard: true });
}

/** The person on the line hangs up. */
function hangup(runtime: TwilioRuntime, exchange: Exchange, sid: string): Response {
  const call = live(runtime, sid);
  if (!call) return refused(exchange, 404, "unknown_call", `No call ${sid} is under way.`);
  runtime.store.write(() => hangUp(runtime, call, exchange.at));
  return answerJson(exchange, 200, renderCall(runtime.state.resource(callKind, sid) ?? call, ".json"));
}

function live({ state }: TwilioRuntime, sid: string): PhoneCall | undefined {
  const call = state.resource(callKind, sid);
  return call && !isOver(call.data.status) ? call : undefined;
}

/** The codes that went out and can still be used or were: what a person would read on the telephone. */
function verifications(runtime: TwilioRuntime, exchange: Exchange): Response {
  const { searchParams } = new URL(exchange.target, "http://localhost");
  const to = searchParams.get("to");
  const main = runtime.state.mainAccount("live");
  const accounts = main ? runtime.state.accountsOf(main.sid) : [];
  const found = accounts
    .flatMap(({ sid }) => runtime.state.resourcesOf(verifyService, sid))
    .flatMap(({ sid }) => runtime.state.resourcesOf(verification, sid))
    .filter(({ data }) => to === null || data.To === to)
    .map(({ sid, parent, createdAt, data }) => ({
      sid,
      serviceSid: parent,
      to: data.To,
      channel: data.Channel,
      status: data.status,
      code: data.code,
      createdAt: iso(createdAt),
      expiresAt: iso(data.expiresAt),
    }));
  return answerJson(exchange, 200, { verifications: found });
}
