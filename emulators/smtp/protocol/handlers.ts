import type {
  SMTPServerAddress,
  SMTPServerAuthentication,
  SMTPServerDataStream,
  SMTPServerOptions,
  SMTPServerSession,
} from "smtp-server";
import type { Runtime } from "../../kernel/emulator.ts";
import { Overloaded } from "../../kernel/overloaded.ts";
import { type AuthMode, defaultProfile, type Envelope, type Parameters } from "../domain/message.ts";
import type { Outcome } from "../domain/outcome.ts";
import { describeCause, queued, reply, SmtpReply, tooBig } from "../domain/replies.ts";
import { type Incoming, keep } from "../intake.ts";
import type { MailState } from "../state.ts";
import { type Collector, createCollector } from "./collector.ts";
import type { MailConnection } from "./connection.ts";
import { asked, askedAtEnd, atLinkSpeed, factsOfMessage, planned, type Verdict } from "./faults.ts";
import type { MailServer } from "./server.ts";

type Handlers = Pick<SMTPServerOptions, "onConnect" | "onAuth" | "onMailFrom" | "onRcptTo" | "onData" | "onClose">;

/** What the library asks at each step of a session. `server` is called only once connections exist. */
export function sessionHandlers(runtime: Runtime<MailState>, listener: string, server: () => MailServer): Handlers {
  const journal = (connection: MailConnection, outcome: string, facts: Readonly<Record<string, unknown>>) => {
    connection.outcomes += 1;
    runtime.journal.append("session", connection.id, {
      listener,
      remote: connection.remoteAddress,
      helo: connection.helo,
      secure: connection.secure,
      outcome,
      ...facts,
    });
  };
  return {
    onConnect(session, callback) {
      const refused = server().refusal();
      const connection = server().connectionOf(session);
      if (refused === undefined) {
        if (connection === undefined) return callback();
        return settle(connection, planned(runtime, connection, "connect", {}, [listener]), callback);
      }
      if (connection) journal(connection, "refused", { reply: `421 ${refused}` });
      callback(new SmtpReply(421, refused));
    },
    onAuth(auth, session, callback) {
      const connection = server().connectionOf(session);
      const admit = () => {
        if (!admitted(runtime, connection?.server.auth ?? "any", auth)) return callback(reply("badCredentials"));
        if (connection) connection.login = { username: auth.username ?? "", mechanism: auth.method };
        callback(null, { user: auth.username ?? "anonymous" });
      };
      if (connection === undefined) return admit();
      const user = auth.username ?? "";
      const verdict = planned(runtime, connection, "auth", { user, mechanism: auth.method }, [user]);
      settle(connection, verdict, (cause) => (cause ? callback(cause) : admit()));
    },
    onMailFrom({ address }, session, callback) {
      const connection = server().connectionOf(session);
      const mode = connection?.server.auth ?? "any";
      if (mode !== "any" && !session.user) return callback(reply("authRequired"));
      if (connection === undefined) return callback();
      connection.begin();
      settle(connection, planned(runtime, connection, "mail", { from: address }, [address]), callback);
    },
    onRcptTo(recipient, session, callback) {
      const connection = server().connectionOf(session);
      const most = connection?.server.maxRecipients ?? defaultProfile.maxRecipients;
      const { mailFrom, rcptTo } = session.envelope;
      if (rcptTo.length >= most && !repeats(rcptTo, recipient)) return callback(reply("tooManyRecipients"));
      if (connection === undefined) return callback();
      const [from, to] = [mailFrom === false ? "" : mailFrom.address, recipient.address];
      const verdict =
        planned(runtime, connection, "rcpt", { from, to }, [from, to]) ?? asked(runtime, connection, from, to);
      settle(connection, verdict, callback, (outcome) => connection.lives.set(to.toLowerCase(), outcome));
    },
    onData(stream, session, callback) {
      const connection = server().connectionOf(session);
      if (connection === undefined) return callback(reply("storage"));
      receive(runtime, {
        stream,
        session,
        connection,
        limit: runtime.settings.mailSizeLimit,
        callback,
        refusal: server().refusal,
        journal: (outcome, facts) => journal(connection, outcome, facts),
      });
    },
    onClose(session) {
      const connection = server().connectionOf(session);
      // A client that never said who it is was a port check.
      if (connection === undefined || connection.helo === "" || connection.outcomes > 0) return;
      journal(connection, "no message", { transcript: connection.transcript.close() });
    },
  };
}

/** Goes on, refuses or breaks off, as was planned for this step. */
function settle(
  connection: MailConnection,
  verdict: Promise<Verdict | undefined> | Verdict | undefined,
  callback: (cause?: Error | null) => void,
  onOutcome?: (outcome: Outcome) => void,
): void {
  const conclude = (planned: Verdict | undefined) => {
    if (planned?.outcome !== undefined) onOutcome?.(planned.outcome);
    if (planned?.drop !== undefined) connection.socket.destroy();
    else callback(planned?.reply ?? null);
    planned?.done();
  };
  if (verdict instanceof Promise) void verdict.then(conclude);
  else conclude(verdict);
}

interface Receipt {
  readonly stream: SMTPServerDataStream;
  readonly session: SMTPServerSession;
  readonly connection: MailConnection;
  readonly limit: number;
  callback(cause: Error | null, text?: string): void;
  refusal(): string | undefined;
  journal(outcome: string, facts: Readonly<Record<string, unknown>>): void;
}

/** Collects a message and answers once it is committed; one whose sender vanishes is kept as truncated. */
function receive(runtime: Runtime<MailState>, receipt: Receipt): void {
  const { stream, connection } = receipt;
  const envelope = envelopeOf(receipt);
  const facts = { from: envelope.mailFrom, to: envelope.recipients.map(({ address }) => address) };
  const collector = createCollector(runtime);
  let broken = false;
  const store = (outcome: string, truncated: boolean, transcript: Incoming["transcript"]): string => {
    const content = collector.finish();
    const remote = `${connection.remoteAddress}:${connection.remotePort}`;
    const kept = keep(runtime, {
      envelope: envelopeOf(receipt),
      content,
      receivedAt: runtime.clock.now(),
      truncated,
      remote,
      transcript,
    });
    receipt.journal(outcome, { ...facts, message: kept.id, size: content.size, transcript: kept.transcript });
    return kept.id;
  };
  const closing = (named: string) => connection.transcript.close(`250 ${queued(named)}`);
  const refuse = (answer: SmtpReply) => {
    const transcript = connection.transcript.close(`${answer.responseCode} ${answer.message}`);
    runtime.state.statistics.rejected += 1;
    receipt.journal("rejected", { ...facts, size: stream.byteLength, transcript });
    receipt.callback(answer);
  };
  stream.on("data", (chunk: Buffer) => {
    broken ||= breaksOff(connection, stream.byteLength);
    if (broken) return void connection.socket.destroy();
    if (!stream.sizeExceeded) collector.push(chunk);
    else collector.discard(); // it will be refused: the rest is only drained
    if (connection.speed !== undefined)
      void atLinkSpeed(runtime, connection, stream, { bytes: chunk.length, total: stream.byteLength });
  });
  stream.on("error", () => {
    if (receipt.refusal() !== undefined) return;
    try {
      store("vanished during DATA", true, () => connection.transcript.close());
    } catch (cause) {
      runtime.log.warn(
        { session: connection.id, cause: describeCause(cause) },
        "a truncated message could not be stored",
      );
    }
  });
  stream.on("end", async () => {
    if (broken) return collector.discard();
    if (stream.sizeExceeded) return refuse(tooBig(receipt.limit));
    const refused = receipt.refusal();
    if (refused !== undefined) return refuse(new SmtpReply(421, refused));
    const verdict = await verdictAtEnd(runtime, receipt, envelope, collector);
    if (verdict?.reply !== undefined) {
      collector.discard();
      refuse(verdict.reply);
      return verdict.done();
    }
    if (verdict?.drop === true) {
      collector.discard();
      connection.socket.destroy();
      return verdict.done();
    }
    try {
      const id = verdict?.discard ? discarded(runtime, receipt, collector) : store("accepted", false, closing);
      // Pieces belong to one message: a large one is not kept twice.
      const copies = collector.finish().spool === undefined ? (verdict?.copies ?? 1) : 1;
      for (let copy = 1; copy < copies; copy += 1) store("duplicated", false, closing);
      await runtime.store.committed();
      if (verdict?.drop === "after") connection.socket.destroy();
      else receipt.callback(null, queued(id));
      verdict?.done();
    } catch (cause) {
      if (cause instanceof Overloaded) return refuse(reply("overloaded"));
      runtime.log.error({ session: connection.id, cause: describeCause(cause) }, "a message could not be stored");
      refuse(reply("storage"));
    }
  });
}

/** True when the present message is one that breaks off here. */
function breaksOff(connection: MailConnection, bytes: number): boolean {
  if (connection.truncate !== undefined && bytes >= connection.truncate) return true;
  return connection.magic.some((magic) => magic.tag === "drop" && magic.stage === "data");
}

/** What is planned for the whole message, by a rule or by its recipients. */
async function verdictAtEnd(
  runtime: Runtime<MailState>,
  { connection }: Receipt,
  envelope: Envelope,
  collector: Collector,
): Promise<Verdict | undefined> {
  if (!runtime.faults.active && connection.magic.length === 0) return undefined;
  const to = envelope.recipients.map(({ address }) => address);
  const mail = factsOfMessage({ from: envelope.mailFrom, to, size: collector.size, beginning: collector.beginning() });
  const verdict = await planned(runtime, connection, "eod", mail.facts, mail.content);
  const { outcome } = verdict ?? {};
  if (outcome !== undefined) for (const address of to) connection.lives.set(address.toLowerCase(), outcome);
  return verdict ?? askedAtEnd(runtime, connection, to.length);
}

/** Answered as if it were stored, and counted. */
function discarded(runtime: Runtime<MailState>, receipt: Receipt, collector: Collector): string {
  const size = collector.size;
  collector.discard();
  runtime.store.write(() => runtime.state.addCount("discarded", 1));
  receipt.journal("discarded", { size });
  return runtime.ids.derive("smtp.discarded", [receipt.connection.id]).hex(22);
}

function envelopeOf({ session, connection }: Receipt): Envelope {
  const { mailFrom, rcptTo } = session.envelope;
  const login = session.user ? connection.login : undefined;
  return {
    mailFrom: mailFrom === false ? "" : mailFrom.address,
    parameters: mailFrom === false ? undefined : parametersOf(mailFrom),
    recipients: rcptTo.map((recipient) => ({
      address: recipient.address,
      parameters: parametersOf(recipient),
      outcome: connection.lives.get(recipient.address.toLowerCase()),
    })),
    helo: connection.helo,
    mechanism: login?.mechanism,
    username: login?.username,
    secure: connection.secure,
  };
}

function parametersOf(address: SMTPServerAddress): Parameters | undefined {
  return address.args === false ? undefined : address.args;
}

/** A recipient given twice replaces the earlier one, so it does not count towards the limit. */
function repeats(known: readonly SMTPServerAddress[], address: SMTPServerAddress): boolean {
  const wanted = address.address.toLowerCase();
  return known.some((recipient) => recipient.address.toLowerCase() === wanted);
}

/** Whether these credentials open the server: all do unless the seed lists users. */
function admitted(runtime: Runtime<MailState>, mode: AuthMode, auth: SMTPServerAuthentication): boolean {
  if (mode !== "users") return true;
  const expected = runtime.state.password(auth.username ?? "");
  if (expected === undefined) return false;
  switch (auth.method) {
    case "PLAIN":
    case "LOGIN":
      return auth.password === expected;
    case "CRAM-MD5":
      return auth.validatePassword(expected);
    case "XOAUTH2":
      return auth.accessToken === expected;
    default:
      return false;
  }
}
