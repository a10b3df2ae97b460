import type { Runtime } from "../../kernel/emulator.ts";
import type { FaultDecision } from "../../kernel/faults.ts";
import type { Fact } from "../../kernel/faults-match.ts";
import type { IdPart } from "../../kernel/ids.ts";
import { headerSection, headerValue, subjectOf } from "../domain/headers.ts";
import { type Magic, magicOf } from "../domain/magic.ts";
import { defaultProfile } from "../domain/message.ts";
import type { Outcome } from "../domain/outcome.ts";
import { SmtpReply } from "../domain/replies.ts";
import type { MailState } from "../state.ts";
import type { MailConnection } from "./connection.ts";

type MailRuntime = Runtime<MailState>;
export type Stage = "connect" | "command" | "helo" | "starttls" | "auth" | "mail" | "rcpt" | "data" | "eod";

/** What a step of the dialogue comes to when something is planned for it. */
export interface Verdict {
  /** Answered instead of what would have been said. */
  readonly reply?: SmtpReply;
  /** The connection breaks, before anything is done or (`after`) with the answer lost. */
  readonly drop?: true | "after";
  readonly outcome?: Outcome;
  /** Answered as if it were stored. */
  readonly discard?: true;
  readonly copies?: number;
  /** The connection breaks after this many bytes of the message. */
  readonly truncate?: number;
  /** The client is told to go on, and then meets a server that cannot do TLS. */
  readonly tlsFail?: true;
  /** Bytes per second, of virtual time, at which the message is read. */
  readonly speed?: number;
  /** To be called when the step is done: who advances the clock waits for it. */
  done(): void;
}

/** What is planned for this step; undefined, at once, when nothing is. */
export function planned(
  runtime: MailRuntime,
  connection: MailConnection,
  stage: Stage,
  facts: Readonly<Record<string, Fact>> | ((name: string) => Fact),
  content: readonly IdPart[],
): Promise<Verdict> | undefined {
  if (!runtime.faults.active) return undefined;
  const common: Readonly<Record<string, Fact>> = {
    helo: connection.helo,
    user: connection.login?.username,
    remote: connection.remoteAddress,
  };
  const own = typeof facts === "function" ? facts : (name: string) => facts[name];
  const decision = runtime.faults.decide({
    stage,
    facts: (name) => own(name) ?? common[name],
    content: [stage, ...content],
    about: { session: connection.id },
  });
  return decision && carriedOut(runtime, connection, decision);
}

async function carriedOut(
  runtime: MailRuntime,
  connection: MailConnection,
  { rule, action }: FaultDecision,
): Promise<Verdict> {
  connection.rules.push(rule);
  const done = await runtime.faults.hold(action, `${connection.id}/${connection.rules.length}`);
  if (done === undefined) return { drop: true, done: () => {} };
  if (action.stall) {
    done();
    return new Promise(() => {}); // silence, until the client or the idle time ends it
  }
  if (action.throttle)
    return {
      reply: new SmtpReply(421, `4.7.0 Too many messages, try again in ${action.throttle.retryAfterSeconds} s`),
      done,
    };
  if (action.status !== undefined) return { reply: replyOf(action.status, action.code, action.message), done };
  if (action.effect === "discard") return { discard: true, done };
  if (action.effect === "tlsFail") return { tlsFail: true, done };
  if (action.effect === "throttle") return { speed: speedOf(runtime, connection, action.with ?? {}), done };
  const outcome = action.effect === undefined ? undefined : effectOf(action.effect, action.with ?? {});
  return {
    ...(action.reset !== undefined && { drop: action.reset }),
    ...(action.truncate !== undefined && { truncate: action.truncate }),
    ...(action.duplicate !== undefined && { copies: action.duplicate }),
    ...(outcome !== undefined && { outcome }),
    done,
  };
}

/** The library answers only with failures here; a planned success is no fault. */
function replyOf(status: number, code: string | number | undefined, message: string | undefined): SmtpReply {
  const enhanced = code === undefined ? `${status < 500 ? 4 : 5}.0.0` : String(code);
  return new SmtpReply(status, `${enhanced} ${message ?? "Planned fault"}`);
}

const slowest = 1;

/** A speed, or one between `min` and `max` that follows from the session. */
function speedOf(runtime: MailRuntime, connection: MailConnection, given: Readonly<Record<string, unknown>>): number {
  const { bytesPerSecond, min, max } = given;
  if (typeof bytesPerSecond === "number") return Math.max(slowest, bytesPerSecond);
  const [from, to] = [typeof min === "number" ? min : 1_024, typeof max === "number" ? max : 10_240];
  const drawn = runtime.ids.fixed("smtp.link-speed", [connection.id]).unit();
  return Math.max(slowest, Math.round(from + drawn * (to - from)));
}

/** Goes on once a link of the planned speed would have brought what just came. */
export async function atLinkSpeed(
  runtime: MailRuntime,
  connection: MailConnection,
  arrived: { readonly bytes: number; readonly total: number },
  goOn: () => void,
): Promise<void> {
  const delayMs = Math.ceil((arrived.bytes / (connection.speed ?? Number.POSITIVE_INFINITY)) * 1000);
  const done = await runtime.faults.hold(
    { delayMs },
    `${connection.id}/link/${connection.rules.length}/${arrived.total}`,
  );
  if (done === undefined) connection.breakOff();
  else goOn();
  done?.();
}

const lives: Readonly<Record<string, Outcome["life"]>> = {
  bounce: "bounced",
  defer: "deferred",
  complain: "complained",
  reply: "replied",
  open: "opened",
  click: "clicked",
  unsubscribe: "unsubscribed",
};

function effectOf(effect: string, given: Readonly<Record<string, unknown>>): Outcome | undefined {
  const life = lives[effect];
  if (life === undefined) return undefined;
  const text = (name: string) => (typeof given[name] === "string" ? { [name]: given[name] } : {});
  const number = (name: string) => (typeof given[name] === "number" ? { [name]: given[name] } : {});
  return { life, ...text("status"), ...text("text"), ...number("afterMs"), ...number("deferrals") };
}

/** What the recipient's own address asks for, as a verdict on RCPT. */
export function asked(
  runtime: MailRuntime,
  connection: MailConnection,
  from: string,
  to: string,
): Promise<Verdict | undefined> | Verdict | undefined {
  const domains = connection.server.magicDomains ?? defaultProfile.magicDomains;
  const magic = magicOf(to, domains);
  if (magic === undefined) return undefined;
  if (magic.tag === "refuse" && magic.stage === "rcpt") return refusedFor(runtime, magic, from, to);
  if (magic.tag === "slow" && magic.stage === "rcpt") return slowed(runtime, connection, magic.ms);
  if (magic.tag === "drop" && magic.stage === "rcpt") return { drop: true, done: () => {} };
  connection.magic.push(magic);
  if (magic.tag === "outcome" && from !== "") return { outcome: magic.outcome, done: () => {} };
  return undefined;
}

/** `defer+451x2@` refuses a sender's first two attempts, wherever they come from. */
function refusedFor(
  runtime: MailRuntime,
  magic: Magic & { tag: "refuse" },
  from: string,
  to: string,
): Verdict | undefined {
  const { state, store } = runtime;
  if (magic.times !== undefined) {
    const name = `attempts:${from.toLowerCase()}>${to.toLowerCase()}`;
    if (state.countOf(name) >= magic.times) return undefined;
    store.write(() => state.addCount(name, 1));
  }
  return { reply: new SmtpReply(magic.code, magic.text), done: () => {} };
}

async function slowed(runtime: MailRuntime, connection: MailConnection, delayMs: number): Promise<Verdict | undefined> {
  connection.rules.push("slow");
  const done = await runtime.faults.hold({ delayMs }, `${connection.id}/${connection.rules.length}`);
  return done === undefined ? { drop: true, done: () => {} } : { done };
}

/** What the recipients' addresses ask for once the message is there. */
export async function askedAtEnd(
  runtime: MailRuntime,
  connection: MailConnection,
  recipients: number,
): Promise<Verdict | undefined> {
  const { magic } = connection;
  if (magic.length === 0) return undefined;
  const refusal = magic.find((entry) => entry.tag === "refuse");
  if (refusal?.tag === "refuse") return { reply: new SmtpReply(refusal.code, refusal.text), done: () => {} };
  const slow = magic.find((entry) => entry.tag === "slow");
  const waited = slow?.tag === "slow" ? await slowed(runtime, connection, slow.ms) : undefined;
  const copies = Math.max(1, ...magic.map((entry) => (entry.tag === "copies" ? entry.copies : 1)));
  const discarded = magic.filter(({ tag }) => tag === "blackhole").length >= recipients;
  if (waited?.drop) return waited;
  return { ...(copies > 1 && { copies }), ...(discarded && { discard: true }), done: waited?.done ?? (() => {}) };
}

/** Facts of a whole message: `size`, `subject`, `from`, `to`, and any header as `header.<name>`. */
export function factsOfMessage(mail: { from: string; to: readonly string[]; size: number; beginning: Buffer }): {
  facts(name: string): Fact;
  content: readonly IdPart[];
} {
  const section = headerSection(mail.beginning);
  const identity = headerValue(section, "message-id") ?? subjectOf(mail.beginning) ?? "";
  return {
    facts(name) {
      if (name.startsWith("header."))
        return headerValue(section, name.slice("header.".length).replaceAll(/[^\w-]/g, ""));
      if (name === "subject") return subjectOf(mail.beginning);
      return name === "from" ? mail.from : name === "to" ? mail.to : name === "size" ? mail.size : undefined;
    },
    content: [mail.from, ...mail.to, identity],
  };
}
