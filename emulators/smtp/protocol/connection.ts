import type { Socket } from "node:net";
import sasl from "smtp-server/lib/sasl.js";
import { SMTPConnection } from "smtp-server/lib/smtp-connection.js";
import type { SMTPStream } from "smtp-server/lib/smtp-stream.js";
import type { Magic } from "../domain/magic.ts";
import type { ServerProfile } from "../domain/message.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { SmtpReply } from "../domain/replies.ts";
import { createTranscript } from "../domain/transcript.ts";
import { MailStream } from "./mail-stream.ts";
import type { Receipt } from "./receipt.ts";
import type { MailServer } from "./server.ts";

const enhancedCode = /^[245]\.\d{1,3}\.\d{1,3} /;
const control = /\p{Cc}/u;
const controls = /\p{Cc}/gu;
/** The usual MAIL and RCPT: a plain address and no parameters. The library reads every other, and knows what is wrong. */
const address = "<([a-z0-9_+-]+(?:\\.[a-z0-9_+-]+)*@[a-z0-9]+(?:[.-][a-z0-9]+)*)>";
const plainAddress: Readonly<Record<string, RegExp>> = {
  "mail from": new RegExp(`^MAIL FROM: ?${address}$`, "i"),
  "rcpt to": new RegExp(`^RCPT TO: ?${address}$`, "i"),
};
/** What the announced extensions add: SIZE, 8BITMIME, SMTPUTF8, DSN and AUTH to MAIL, DSN to RCPT. */
const parameters = {
  MAIL: new Set(["SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "AUTH"]),
  RCPT: new Set(["NOTIFY", "ORCPT"]),
} as const;
/** RFC 5321 4.5.3.1.3, without the brackets. */
const longestAddress = 253;
/** Handlers of MAIL, RCPT and DATA are not handed their line: it would be bytes again. */
const unread = Buffer.alloc(0);
type AddressParser = SMTPConnection["_parseAddressCommand"];

/** Steps that the library asks nobody about. */
export type GuardedStage = "command" | "helo" | "starttls" | "data";

/** What a session is told about its server when it begins. */
export interface SessionProfile {
  readonly id: string;
  /** As the seed has it when the session begins; a reseed is for the sessions after it. */
  readonly server: ServerProfile;
}

/**
 * The library's connection without its fixed 100 ms before the greeting and without its randomness, and with a record of
 * what was said. It reaches into members that the library calls private: the version is pinned, and tests of each such
 * behaviour (greeting time, transcript, CRAM-MD5, dots) say so when an update changes them.
 */
export class MailConnection extends SMTPConnection {
  readonly server: ServerProfile;
  readonly transcript = createTranscript();
  /** HELO's argument as the client spelt it; the library keeps it in lower case. */
  helo = "";
  /** Set by a successful AUTH; counts only while the session has a user. Never the password. */
  login: { readonly username: string; readonly mechanism: string } | undefined;
  /** Planned faults that met this session, by rule. */
  readonly rules: string[] = [];
  /** What recipients of the present transaction ask for, and what becomes of the mail there, by lower-case address. */
  magic: Magic[] = [];
  readonly lives = new Map<string, Outcome>();
  /** The connection breaks after this many bytes of the present message. */
  truncate: number | undefined;
  /** Bytes per second at which the present message is read; undefined for as fast as it comes. */
  speed: number | undefined;
  /** Entries this session has in the journal. */
  outcomes = 0;
  /** The message that is coming in. */
  private receipt: Receipt | undefined;
  /** The command that is being answered. */
  private line = "";
  /** Replies that leave together. */
  private gathered = "";
  readonly owner: MailServer;
  private readonly challengeOf: (sessionId: string, serverName: string) => string;

  constructor(owner: MailServer, socket: Socket, profile: SessionProfile) {
    super(owner, socket, { id: profile.id });
    this.owner = owner;
    this.server = profile.server;
    this.name = profile.server.name;
    this.challengeOf = owner.challengeOf;
  }

  /** As the library's, but the greeting follows at once. */
  override init(): void {
    this._setListeners(() => {
      const { maxClients } = this.owner.options;
      if (maxClients !== undefined && this.owner.connections.size > maxClients) {
        this.send(421, `4.7.0 ${this.name} Too many connected clients, try again in a moment`, false);
        return;
      }
      this.connectionReady();
    });
  }

  override _createParser(): SMTPStream {
    const parser = new MailStream({ maxCommandLength: this._server.options.maxCommandLength });
    parser.onLine = (line, goOn) => this.heard(line, goOn);
    parser.on("error", (cause) => this.send(421, `Error: ${cause.message}`));
    return parser;
  }

  private heard(line: string, callback: () => void): void {
    const space = line.indexOf(" ");
    const verb = (space === -1 ? line : line.slice(0, space)).toUpperCase();
    const continued = this._nextHandler !== false;
    if (!continued) {
      if (verb === "MAIL") this.transcript.begin();
      else if (verb === "EHLO" || verb === "HELO") this.helo = line.slice(verb.length).trim();
    }
    this.transcript.client(continued || verb === "AUTH" ? this._redactCredentials(verb, line).line : line);
    const refused = this.owner.refusal();
    if (refused !== undefined) {
      this.send(421, refused, false);
      return;
    }
    if (continued) this._onCommand(Buffer.from(line), callback);
    else this.guarded("command", callback, () => this.dispatch(verb, line, callback), verb);
  }

  /** A mail's own commands go to their handlers at once: the library asks much first that is never so here. */
  private dispatch(verb: string, line: string, callback: () => void): void {
    this.line = line;
    const ready = this._ready && !this._upgrading && this.hostNameAppearsAs !== false && !this.owner._closeTimeout;
    const handler = ready ? this.handlerOf(verb) : undefined;
    if (handler === undefined) {
      this._onCommand(Buffer.from(line), callback);
      return;
    }
    this._handlerPending = true;
    const done = () => {
      this._handlerPending = false;
      this._whenWritable(callback);
    };
    try {
      handler.call(this, unread, done);
    } catch (cause) {
      this.emit("error", cause);
      if (!this._handlerPending) return;
      this.send(451, "Error: internal server error");
      done();
    }
  }

  private handlerOf(verb: string): SMTPConnection["handler_MAIL"] | undefined {
    switch (verb) {
      case "MAIL":
        return this.handler_MAIL;
      case "RCPT":
        return this.handler_RCPT;
      case "DATA":
        return this.handler_DATA;
      default:
        return undefined;
    }
  }

  /** Reads the present line, whatever it is handed. */
  override _parseAddressCommand(name: string): ReturnType<AddressParser> {
    const address = plainAddress[name]?.exec(this.line)?.[1];
    return address !== undefined && address.length <= longestAddress
      ? { address, args: false }
      : super._parseAddressCommand(name, this.line);
  }

  /** A text that brings its own enhanced status code gets no second one. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    const own = typeof data === "string" && enhancedCode.test(data);
    const used = own ? false : context;
    const enhanced = this._getEnhancedStatusCode(code, used);
    const prefix = enhanced === "" ? `${code} ` : `${code} ${enhanced} `;
    const lines = Array.isArray(data) ? data : undefined;
    if (lines === undefined) this.transcript.server(prefix + (data ?? ""));
    else for (const line of lines) this.transcript.server(prefix + line);
    // The library would write each reply by itself, or, corked, as a vector of strings: both cost more than the mail.
    if ((code === 250 || code === 354) && this.open) {
      const more = `${code}-${prefix.slice(4)}`;
      const last = lines === undefined ? data : lines.at(-1);
      for (const line of lines?.slice(0, -1) ?? []) this.gather(more + line);
      this.gather(prefix + (last ?? ""));
      return;
    }
    this.flush();
    super.send(code, data, used);
  }

  private get open(): boolean {
    return !this._upgrading && this._socket.readyState === "open";
  }

  /** The replies to commands that came together leave together, as RFC 2920 3.2 asks: one write instead of three. */
  private gather(line: string): void {
    if (this.gathered === "") this.owner.flushLater(this);
    this.gathered += `${control.test(line) ? line.replaceAll(controls, " ") : line}\r\n`;
  }

  flush(): void {
    if (this.gathered === "") return;
    const lines = this.gathered;
    this.gathered = "";
    if (this.open) this._socket.write(lines);
  }

  override handler_MAIL(command: Buffer, callback: () => void): void {
    if (this.refusesParameter("MAIL")) callback();
    else super.handler_MAIL(command, callback);
  }

  override handler_RCPT(command: Buffer, callback: () => void): void {
    if (this.refusesParameter("RCPT")) callback();
    else super.handler_RCPT(command, callback);
  }

  /** RFC 5321 4.1.1.11: a parameter that was not announced is refused; the library would take it and do nothing. */
  private refusesParameter(verb: keyof typeof parameters): boolean {
    const given = />\s+(.*)$/.exec(this.line)?.[1]?.split(/\s+/) ?? [];
    const unknown = given.find((word) => word !== "" && !parameters[verb].has(word.replace(/=.*/, "").toUpperCase()));
    if (unknown === undefined) return false;
    this.send(555, `5.5.4 Error: ${verb} parameter ${unknown} is not supported`, false);
    return true;
  }

  /** Runs a command unless something else is planned for its stage. */
  private guarded(stage: GuardedStage, callback: () => void, go: () => void, verb?: string): void {
    const verdict = this.owner.plannedFor(this, stage, verb);
    if (verdict === undefined) {
      go();
      return;
    }
    void verdict.then((planned) => {
      if (planned.truncate !== undefined) this.truncate = planned.truncate;
      if (planned.speed !== undefined) this.speed = planned.speed;
      if (planned.drop !== undefined) this.breakOff();
      else if (planned.tlsFail) this.failTls();
      else if (planned.reply !== undefined) {
        this.send(planned.reply.responseCode, planned.reply.message, false);
        callback();
      } else go();
      planned.done();
    });
  }

  override handler_EHLO(command: Buffer, callback: () => void): void {
    this.guarded("helo", callback, () => super.handler_EHLO(command, callback));
  }

  override handler_HELO(command: Buffer, callback: () => void): void {
    this.guarded("helo", callback, () => super.handler_HELO(command, callback));
  }

  override handler_STARTTLS(command: Buffer, callback: () => void): void {
    this.guarded("starttls", callback, () => super.handler_STARTTLS(command, callback));
  }

  /** What the client's handshake meets is no TLS, which fails it at once instead of when its patience ends. */
  private failTls(): void {
    this.send(220, "Ready to start TLS");
    this._socket.unpipe();
    this._socket.once("data", () => this._socket.end("454 4.7.0 TLS not available due to temporary reason\r\n"));
    this._socket.resume();
  }

  override handler_DATA(_command: Buffer, callback: () => void): void {
    this.guarded("data", callback, () => this.receive(callback));
  }

  private receive(callback: () => void): void {
    if (this.session.envelope.rcptTo.length === 0) {
      this.send(503, "Error: need RCPT command");
      callback();
      return;
    }
    const { reader } = this;
    if (reader === undefined) {
      callback(); // closed meanwhile
      return;
    }
    const receipt = this.owner.receive(this);
    this.receipt = receipt;
    reader.receive({
      part: (bytes) => receipt.part(bytes),
      end: (last) => {
        this.receipt = undefined;
        this._handlerPending = true; // the client is idle because it waits for us
        receipt.end(last);
      },
    });
    this.send(354, "End data with <CR><LF>.<CR><LF>");
    callback();
  }

  /** Answers a message that has come to its end, and reads on. */
  answer(refusal: SmtpReply | null, text?: string): void {
    this._handlerPending = false;
    if (refusal !== null) this.send(refusal.responseCode, refusal.message);
    else this.send(250, text);
    this._transactionCounter += 1;
    this._unrecognizedCommands = 0;
    this._resetSession();
    this.reader?.resume();
  }

  /** Reads no further until `wait` says so. */
  holdReading(wait: (goOn: () => void) => unknown): void {
    this.reader?.pause();
    wait(() => this.reader?.resume());
  }

  private get reader(): MailStream | undefined {
    return this._parser instanceof MailStream ? this._parser : undefined;
  }

  override _onClose(): void {
    const { receipt } = this;
    this.receipt = undefined;
    super._onClose();
    receipt?.vanished();
  }

  /** A new transaction begins: what the last one's recipients asked for is over. */
  begin(): void {
    if (this.magic.length > 0) this.magic = [];
    if (this.lives.size > 0) this.lives.clear(); // clearing makes a new table
    this.truncate = undefined;
    this.speed = undefined;
  }

  /** The library's CRAM-MD5 challenge is random; this one follows from the session. */
  override handler_AUTH(command: Buffer, callback: () => void): void {
    const words = command.toString().trim().split(/\s+/);
    const plainBeforeTls = !this.secure && this._isSupported("STARTTLS");
    if (words.length !== 2 || words[1]?.toUpperCase() !== "CRAM-MD5" || plainBeforeTls || this.session.user) {
      super.handler_AUTH(command, callback);
      return;
    }
    const challenge = this.challengeOf(this.id, this.name);
    this._nextHandler = sasl["CRAM-MD5_token"].bind(this, true, challenge);
    this.send(334, Buffer.from(challenge).toString("base64"));
    callback();
  }

  /** True while a transaction is open, which a closing server lets finish. */
  get busy(): boolean {
    return this.receipt !== undefined || Boolean(this.session.envelope?.mailFrom);
  }

  /** Ends the connection behind what was already answered. */
  breakOff(): void {
    this.flush();
    this._socket.destroy();
  }

  get socket(): Socket {
    return this._socket;
  }
}
