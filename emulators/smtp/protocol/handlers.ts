import type {
  SMTPServerAddress,
  SMTPServerAuthentication,
  SMTPServerDataStream,
  SMTPServerOptions,
  SMTPServerSession,
} from "smtp-server";
import type { Runtime } from "../../kernel/emulator.ts";
import { Overloaded } from "../../kernel/outbox.ts";
import { type AuthMode, defaultProfile, type Envelope, type Parameters } from "../domain/message.ts";
import { describeCause, queued, reply, SmtpReply, tooBig } from "../domain/replies.ts";
import { type Incoming, keep } from "../intake.ts";
import type { MailState } from "../store.ts";
import type { MailConnection } from "./connection.ts";
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
      if (refused === undefined) return callback();
      const connection = server().connectionOf(session);
      if (connection) journal(connection, "refused", { reply: `421 ${refused}` });
      callback(new SmtpReply(421, refused));
    },
    onAuth(auth, session, callback) {
      const connection = server().connectionOf(session);
      if (!admitted(runtime, connection?.server.auth ?? "any", auth)) return callback(reply("badCredentials"));
      if (connection) connection.login = { username: auth.username ?? "", mechanism: auth.method };
      callback(null, { user: auth.username ?? "anonymous" });
    },
    onMailFrom(_address, session, callback) {
      const mode = server().connectionOf(session)?.server.auth ?? "any";
      callback(mode !== "any" && !session.user ? reply("authRequired") : null);
    },
    onRcptTo(address, session, callback) {
      const most = server().connectionOf(session)?.server.maxRecipients ?? defaultProfile.maxRecipients;
      const { rcptTo } = session.envelope;
      callback(rcptTo.length >= most && !repeats(rcptTo, address) ? reply("tooManyRecipients") : null);
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

interface Receipt {
  readonly stream: SMTPServerDataStream;
  readonly session: SMTPServerSession;
  readonly connection: MailConnection;
  readonly limit: number;
  callback(cause: Error | null, text?: string): void;
  refusal(): string | undefined;
  journal(outcome: string, facts: Readonly<Record<string, unknown>>): void;
}

/**
 * Collects a message and answers once it is committed; one whose sender vanishes is kept as truncated. The pieces are
 * held until the end and joined once, so the most that a session takes is twice its message.
 */
function receive(runtime: Runtime<MailState>, receipt: Receipt): void {
  const { stream, connection } = receipt;
  const envelope = envelopeOf(receipt);
  const facts = { from: envelope.mailFrom, to: envelope.recipients.map(({ address }) => address) };
  let chunks: Buffer[] = [];
  const store = (outcome: string, truncated: boolean, transcript: Incoming["transcript"]): string => {
    const raw = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
    const remote = `${connection.remoteAddress}:${connection.remotePort}`;
    const kept = keep(runtime, { envelope, raw, receivedAt: runtime.clock.now(), truncated, remote, transcript });
    receipt.journal(outcome, { ...facts, message: kept.id, size: raw.length, transcript: kept.transcript });
    return kept.id;
  };
  const refuse = (answer: SmtpReply) => {
    const transcript = connection.transcript.close(`${answer.responseCode} ${answer.message}`);
    receipt.journal("rejected", { ...facts, size: stream.byteLength, transcript });
    receipt.callback(answer);
  };
  stream.on("data", (chunk: Buffer) => {
    if (!stream.sizeExceeded) chunks.push(chunk);
    else chunks = []; // it will be refused: the rest is only drained
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
    if (stream.sizeExceeded) return refuse(tooBig(receipt.limit));
    const refused = receipt.refusal();
    if (refused !== undefined) return refuse(new SmtpReply(421, refused));
    try {
      const id = store("accepted", false, (named) => connection.transcript.close(`250 ${queued(named)}`));
      await runtime.store.committed();
      receipt.callback(null, queued(id));
    } catch (cause) {
      if (cause instanceof Overloaded) return refuse(reply("overloaded"));
      runtime.log.error({ session: connection.id, cause: describeCause(cause) }, "a message could not be stored");
      refuse(reply("storage"));
    }
  });
}

function envelopeOf({ session, connection }: Receipt): Envelope {
  const { mailFrom, rcptTo } = session.envelope;
  const login = session.user ? connection.login : undefined;
  return {
    mailFrom: mailFrom === false ? "" : mailFrom.address,
    parameters: mailFrom === false ? undefined : parametersOf(mailFrom),
    recipients: rcptTo.map((recipient) => ({ address: recipient.address, parameters: parametersOf(recipient) })),
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
