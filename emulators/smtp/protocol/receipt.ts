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

export interface ReceiptHost {
  readonly runtime: Runtime<MailState>;
  readonly collector: Collector;
  /** The text of a 421 while the server must not serve. */
  refusal(): string | undefined;
  journal(connection: MailConnection, outcome: string, facts: Readonly<Record<string, unknown>>): void;
}

/** A message on its way in: collected, and answered once it is committed. */
export class Receipt implements DataSink {
  private size = 0;
  private broken = false;
  private readonly connection: MailConnection;
  private readonly host: ReceiptHost;

  constructor(connection: MailConnection, host: ReceiptHost) {
    this.connection = connection;
    this.host = host;
  }

  part(bytes: Buffer): void {
    const { connection, host } = this;
    if (this.counts(bytes.length)) host.collector.push(bytes);
    if (!this.broken && connection.speed !== undefined) connection.holdReading((goOn) => this.atLinkSpeed(bytes, goOn));
  }

  end(last: Buffer): void {
    if (this.counts(last.length)) this.host.collector.last(last);
    if (this.broken || this.connection.speed === undefined) this.judge();
    else this.atLinkSpeed(last, () => this.judge());
  }

  /** The client went away before the end of the data: what came is kept as truncated. */
  vanished(): void {
    const { connection, host } = this;
    try {
      if (host.refusal() === undefined) this.store("vanished during DATA", true, () => connection.transcript.close());
    } catch (cause) {
      host.runtime.log.warn(
        { session: connection.id, cause: describeCause(cause) },
        "a truncated message could not be stored",
      );
    }
    host.collector.close();
  }

  /** A limit of 0 is none. */
  private get tooBig(): boolean {
    const { mailSizeLimit } = this.host.runtime.settings;
    return mailSizeLimit > 0 && this.size > mailSizeLimit;
  }

  /** False when the message breaks off or is too big: nothing of it is kept from here on. */
  private counts(bytes: number): boolean {
    this.size += bytes;
    this.broken ||= breaksOff(this.connection, this.size);
    if (this.broken) this.connection.breakOff();
    else if (this.tooBig)
      this.host.collector.discard(); // it will be refused: the rest is only drained
    else return true;
    return false;
  }

  private atLinkSpeed(arrived: Buffer, goOn: () => void): void {
    const { runtime } = this.host;
    void atLinkSpeed(runtime, this.connection, { bytes: arrived.length, total: this.size }, goOn);
  }

  private judge(): void {
    const { connection, host } = this;
    const { runtime } = host;
    const refused = host.refusal();
    if (this.broken) this.giveUp();
    else if (this.tooBig) this.refuse(tooBig(runtime.settings.mailSizeLimit));
    else if (refused !== undefined) this.refuse(new SmtpReply(421, refused));
    else if (!runtime.faults.active && connection.magic.length === 0) this.accept(undefined);
    else void verdictAtEnd(host, connection, addressesOf(connection)).then((verdict) => this.conclude(verdict));
  }

  private conclude(verdict: Verdict | undefined): void {
    if (verdict?.reply !== undefined) {
      this.host.collector.discard();
      this.refuse(verdict.reply);
      verdict.done();
    } else if (verdict?.drop === true) {
      this.giveUp();
      this.connection.breakOff();
      verdict.done();
    } else this.accept(verdict);
  }

  private giveUp(): void {
    this.host.collector.discard();
    this.host.collector.close();
  }

  private refuse(answer: SmtpReply): void {
    const { connection, host } = this;
    const transcript = connection.transcript.close(`${answer.responseCode} ${answer.message}`);
    host.runtime.state.statistics.rejected += 1;
    host.journal(connection, "rejected", { ...addressesOf(connection), size: this.size, transcript });
    host.collector.close();
    connection.answer(answer);
  }

  private accept(verdict: Verdict | undefined): void {
    const { connection, host } = this;
    const failed = (cause: unknown) => this.failed(cause);
    let id: string;
    try {
      id = verdict?.discard ? discarded(host, connection) : this.storeAll(verdict?.copies ?? 1);
    } catch (cause) {
      failed(cause);
      return;
    }
    const committed = host.runtime.store.committed();
    if (committed === undefined) this.accepted(id, verdict);
    else committed.then(() => this.accepted(id, verdict), failed);
  }

  private accepted(id: string, verdict: Verdict | undefined): void {
    const { connection, host } = this;
    host.collector.close();
    if (verdict?.drop === "after") connection.breakOff();
    else connection.answer(null, queued(id));
    verdict?.done();
  }

  private failed(cause: unknown): void {
    if (cause instanceof Overloaded) {
      this.refuse(reply("overloaded"));
      return;
    }
    const session = this.connection.id;
    this.host.runtime.log.error({ session, cause: describeCause(cause) }, "a message could not be stored");
    this.refuse(reply("storage"));
  }

  /** As often as was planned; but pieces belong to one message: a large one is not kept twice. */
  private storeAll(copies: number): string {
    const { transcript } = this.connection;
    const closing = (id: string) => transcript.close(`250 ${queued(id)}`);
    const id = this.store("accepted", false, closing);
    if (this.host.collector.finish().spool === undefined)
      for (let copy = 1; copy < copies; copy += 1) this.store("duplicated", false, closing);
    return id;
  }

  private store(outcome: string, truncated: boolean, transcript: Incoming["transcript"]): string {
    const { connection, host } = this;
    const content = host.collector.finish();
    const kept = keep(host.runtime, {
      envelope: envelopeOf(connection),
      content,
      receivedAt: host.runtime.clock.now(),
      truncated,
      remote: `${connection.remoteAddress}:${connection.remotePort}`,
      transcript,
    });
    const { from, to } = addressesOf(connection);
    host.journal(connection, outcome, { from, to, message: kept.id, size: content.size, transcript: kept.transcript });
    return kept.id;
  }
}

function addressesOf({ session }: MailConnection): { readonly from: string; readonly to: readonly string[] } {
  const { mailFrom, rcptTo } = session.envelope;
  return { from: mailFrom === false ? "" : mailFrom.address, to: rcptTo.map(({ address }) => address) };
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
  journal(connection, "discarded", { size: collector.size });
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
