import type { Socket } from "node:net";
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from "smtp-server";
import { type GuardedStage, MailConnection, type SessionProfile } from "./connection.ts";
import type { Verdict } from "./faults.ts";
import type { Receipt } from "./receipt.ts";

export interface MailServerHooks {
  /** Called once per accepted connection. */
  profile(): SessionProfile;
  /** The text of a 421 while the server must not serve. */
  refusal(): string | undefined;
  challengeOf(sessionId: string, serverName: string): string;
  /** What is planned for a command; undefined when nothing is. */
  plannedFor(connection: MailConnection, stage: GuardedStage, verb: string | undefined): Promise<Verdict> | undefined;
  /** Called when a message begins. */
  receive(connection: MailConnection): Receipt;
}

/** The library's server, making connections of our own. */
export class MailServer extends SMTPServer {
  readonly refusal: () => string | undefined;
  readonly challengeOf: (sessionId: string, serverName: string) => string;
  readonly plannedFor: MailServerHooks["plannedFor"];
  readonly receive: MailServerHooks["receive"];
  private readonly profile: () => SessionProfile;
  private readonly sockets = new Set<Socket>();
  private readonly answering: MailConnection[] = [];
  private readonly bySession = new WeakMap<SMTPServerSession, MailConnection>();

  constructor(options: SMTPServerOptions, hooks: MailServerHooks) {
    super(options);
    this.refusal = hooks.refusal;
    this.challengeOf = hooks.challengeOf;
    this.plannedFor = hooks.plannedFor;
    this.receive = hooks.receive;
    this.profile = hooks.profile;
  }

  override connect(socket: Socket): void {
    const connection = new MailConnection(this, socket, this.profile());
    this.sockets.add(socket);
    socket.once("close", () => this.sockets.delete(socket));
    this.bySession.set(connection.session, connection);
    this.connections.add(connection);
    connection.on("error", (cause) => this._onError(cause));
    connection.on("connect", (info) => this._onClientConnect(info));
    connection.init();
  }

  connectionOf(session: SMTPServerSession): MailConnection | undefined {
    return this.bySession.get(session);
  }

  /**
   * The replies of one turn are written one after the other at its end: each write wakes a client, and between two of them
   * it would take the processor from the mails of the others.
   */
  flushLater(connection: MailConnection): void {
    if (this.answering.length === 0) setImmediate(() => this.flushAll());
    this.answering.push(connection);
  }

  private flushAll(): void {
    for (const connection of this.answering.splice(0)) connection.flush();
  }

  /** Sends idle clients away; those in a transaction are waited for. */
  dismissIdle(): void {
    for (const connection of this.connections) {
      if (!(connection instanceof MailConnection) || connection.busy) continue;
      connection.send(421, `4.3.2 ${connection.name} is shutting down`, false);
      connection.socket.destroySoon();
    }
  }

  destroyAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}
