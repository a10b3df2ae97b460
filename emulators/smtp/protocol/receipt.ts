import type { SMTPServerAddress } from "smtp-server";
import type { Runtime } from "../../kernel/emulator.ts";
import { Overloaded } from "../../kernel/overloaded.ts";
import type { Envelope, Parameters } from "../domain/message.ts";
import { describeCause, queued, reply, SmtpReply, tooBig } from "../domain/replies.ts";
import { type Incoming, keep } from "../intake.ts";
import type { MailState } from "../state.ts";
import type { Collector } from "./collector.ts";
import type { MailConnection } from "./connection.ts";
import { askedAtEnd, atLinkSpeed, factsOfMessage, planned, type Verdict } from "./faults.ts";
import type { DataSink } from "./mail-stream.ts";

/** A message on its way in. */
export interface Receipt extends DataSink {
  /** The client went away before the end of the data. */
  vanished(): void;
}

export interface ReceiptHost {
  readonly runtime: Runtime<MailState>;
  readonly collector: Collector;
  /** The text of a 421 while the server must not serve. */
  refusal(): string | undefined;
  journal(outcome: string, facts: Readonly<Record<string, unknown>>): void;
}

/** Collects a message and answers once it is committed; one whose sender vanishes is kept as truncated. */
export function createReceipt(connection: MailConnection, host: ReceiptHost): Receipt {
  const { runtime, collector } = host;
  const limit = runtime.settings.mailSizeLimit;
  let size = 0;
  let broken = false;

  const facts = () => {
    const { mailFrom, rcptTo } = connection.session.envelope;
    return { from: mailFrom === false ? "" : mailFrom.address, to: rcptTo.map(({ address }) => address) };
  };
  const store = (outcome: string, truncated: boolean, transcript: Incoming["transcript"]): string => {
    const content = collector.finish();
    const kept = keep(runtime, {
      envelope: envelopeOf(connection),
      content,
      receivedAt: runtime.clock.now(),
      truncated,
      remote: `${connection.remoteAddress}:${connection.remotePort}`,
      transcript,
    });
    host.journal(outcome, { ...facts(), message: kept.id, size: content.size, transcript: kept.transcript });
    return kept.id;
  };
  const closing = (named: string) => connection.transcript.close(`250 ${queued(named)}`);
  /** As often as was planned; but pieces belong to one message: a large one is not kept twice. */
  const storeAll = (copies: number): string => {
    const id = store("accepted", false, closing);
    if (collector.finish().spool === undefined)
      for (let copy = 1; copy < copies; copy += 1) store("duplicated", false, closing);
    return id;
  };
  const refuse = (answer: SmtpReply) => {
    const transcript = connection.transcript.close(`${answer.responseCode} ${answer.message}`);
    runtime.state.statistics.rejected += 1;
    host.journal("rejected", { ...facts(), size, transcript });
    collector.close();
    connection.answer(answer);
  };
  const giveUp = () => {
    collector.discard();
    collector.close();
  };
  /** False when the message breaks off or is too big: nothing of it is kept from here on. */
  const counts = (bytes: number): boolean => {
    size += bytes;
    broken ||= breaksOff(connection, size);
    if (broken) connection.socket.destroy();
    else if (size > limit) collector.discard(); // it will be refused: the rest is only drained
    return !broken && size <= limit;
  };
  const failed = (cause: unknown) => {
    if (cause instanceof Overloaded) return refuse(reply("overloaded"));
    runtime.log.error({ session: connection.id, cause: describeCause(cause) }, "a message could not be stored");
    refuse(reply("storage"));
  };
  const accept = (verdict: Verdict | undefined) => {
    let id = "";
    try {
      id = verdict?.discard ? discarded(host, connection) : storeAll(verdict?.copies ?? 1);
    } catch (cause) {
      return failed(cause);
    }
    const answer = () => {
      collector.close();
      if (verdict?.drop === "after") connection.socket.destroy();
      else connection.answer(null, queued(id));
      verdict?.done();
    };
    runtime.store.committed().then(answer, failed);
  };
  const conclude = (verdict: Verdict | undefined) => {
    if (verdict?.reply !== undefined) {
      collector.discard();
      refuse(verdict.reply);
      return verdict.done();
    }
    if (verdict?.drop !== true) return accept(verdict);
    giveUp();
    connection.socket.destroy();
    verdict.done();
  };
  const judge = () => {
    if (broken) return giveUp();
    if (size > limit) return refuse(tooBig(limit));
    const refused = host.refusal();
    if (refused !== undefined) return refuse(new SmtpReply(421, refused));
    if (!runtime.faults.active && connection.magic.length === 0) return conclude(undefined);
    void verdictAtEnd(host, connection, facts()).then(conclude);
  };

  return {
    part(bytes) {
      if (counts(bytes.length)) collector.push(bytes);
      if (!broken && connection.speed !== undefined)
        connection.holdReading((goOn) => atLinkSpeed(runtime, connection, { bytes: bytes.length, total: size }, goOn));
    },
    end(last) {
      if (counts(last.length)) collector.last(last);
      if (broken || connection.speed === undefined) return judge();
      void atLinkSpeed(runtime, connection, { bytes: last.length, total: size }, judge);
    },
    vanished() {
      if (host.refusal() !== undefined) return giveUp();
      try {
        store("vanished during DATA", true, () => connection.transcript.close());
      } catch (cause) {
        runtime.log.warn(
          { session: connection.id, cause: describeCause(cause) },
          "a truncated message could not be stored",
        );
      }
      collector.close();
    },
  };
}

/** True when the present message is one that breaks off here. */
function breaksOff(connection: MailConnection, bytes: number): boolean {
  if (connection.truncate !== undefined && bytes >= connection.truncate) return true;
  return connection.magic.some((magic) => magic.tag === "drop" && magic.stage === "data");
}

/** What is planned for the whole message, by a rule or by its recipients. */
async function verdictAtEnd(
  { runtime, collector }: ReceiptHost,
  connection: MailConnection,
  envelope: { readonly from: string; readonly to: readonly string[] },
): Promise<Verdict | undefined> {
  const { to } = envelope;
  const mail = factsOfMessage({ ...envelope, size: collector.size, beginning: collector.beginning() });
  const verdict = await planned(runtime, connection, "eod", mail.facts, mail.content);
  const { outcome } = verdict ?? {};
  if (outcome !== undefined) for (const address of to) connection.lives.set(address.toLowerCase(), outcome);
  return verdict ?? askedAtEnd(runtime, connection, to.length);
}

/** Answered as if it were stored, and counted. */
function discarded({ runtime, collector, journal }: ReceiptHost, connection: MailConnection): string {
  collector.discard();
  runtime.store.write(() => runtime.state.addCount("discarded", 1));
  journal("discarded", { size: collector.size });
  return runtime.ids.derive("smtp.discarded", [connection.id]).hex(22);
}

function envelopeOf(connection: MailConnection): Envelope {
  const { session } = connection;
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
