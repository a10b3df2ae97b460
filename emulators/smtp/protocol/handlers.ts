import type { SMTPServerAddress, SMTPServerAuthentication, SMTPServerOptions } from "smtp-server";
import type { Runtime } from "../../kernel/emulator.ts";
import { type AuthMode, defaultProfile } from "../domain/message.ts";
import type { Outcome } from "../domain/outcome.ts";
import { reply, SmtpReply } from "../domain/replies.ts";
import type { MailState } from "../state.ts";
import { createCollectors } from "./collector.ts";
import type { MailConnection } from "./connection.ts";
import { asked, planned, type Verdict } from "./faults.ts";
import { Receipt } from "./receipt.ts";
import type { MailServer, MailServerHooks } from "./server.ts";

type Handlers = Pick<SMTPServerOptions, "onConnect" | "onAuth" | "onMailFrom" | "onRcptTo" | "onClose"> &
  Pick<MailServerHooks, "receive">;

/** What is asked at each step of a session. `server` is called only once connections exist. */
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
  const newCollector = createCollectors(runtime);
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
    receive: (connection) =>
      new Receipt(connection, { runtime, collector: newCollector(), refusal: connection.owner.refusal, journal }),
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
    if (planned?.drop !== undefined) connection.breakOff();
    else callback(planned?.reply ?? null);
    planned?.done();
  };
  if (verdict instanceof Promise) void verdict.then(conclude);
  else if (verdict === undefined) callback(null);
  else conclude(verdict);
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
