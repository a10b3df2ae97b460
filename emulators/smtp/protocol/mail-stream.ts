import { SMTPStream } from "smtp-server/lib/smtp-stream.js";

const lineThenDot = Buffer.from("\r\n.");
const dot = 0x2e;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const beyondAscii = /[^\0-\x7f]/;

/** So many pipelined commands are answered before others have their turn. */
const mostAtOnce = 100;
/** With so many unread bytes whoever writes has to wait. */
const mostUnread = 65_536;
/** A smaller buffer may be part of one that others share. */
const smallestReleased = 8_192;

/** Takes one message as it arrives, dots undone. */
export interface DataSink {
  /** Bytes that are valid during the call only. */
  part(bytes: Buffer): void;
  /** What is left, valid until the reader goes on: it pauses here. */
  end(last: Buffer): void;
}

/**
 * The library's parser with its own reading, of the bytes as the socket brings them: no stream stands before the commands
 * or around a message, which would cost more than the mail. In DATA a line ends at CRLF and nowhere else, so a dot after a
 * bare LF or a bare CR is content (RFC 5321 2.3.8); the first dot of a line is dropped when more follows (4.5.2).
 */
export class MailStream extends SMTPStream {
  /** Takes a command line without its end, and says when to go on. */
  onLine: (line: string, goOn: () => void) => void = () => {};
  private readonly arrived: Buffer[] = [];
  private unread = 0;
  /** How far the first of what arrived is read. */
  private at = 0;
  private paused = false;
  private reading = false;
  /** Whoever writes was told to wait. */
  private full = false;
  /** A command line whose end has not come. */
  private begun = "";
  /** Commands answered without a pause. */
  private answered = 0;
  private sink: DataSink | undefined;
  private atDataStart = false;
  /** The end of the last chunk while it may still begin `\r\n.\r\n`. */
  private held: Buffer | undefined;
  private finishing: (() => void) | undefined;

  override write(chunk: Buffer): boolean {
    this.arrived.push(chunk);
    this.unread += chunk.length;
    this.read();
    this.full = this.unread >= mostUnread;
    return !this.full;
  }

  /** What comes next is a message. */
  receive(sink: DataSink): void {
    this.sink = sink;
    this.atDataStart = true;
  }

  /** Reads no further until `resume`. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    if (this.reading) return; // it sees for itself
    this.read();
    if (this.full && this.unread < mostUnread) {
      this.full = false;
      this.emit("drain");
    }
  }

  override _final(callback: () => void): void {
    if (this.arrived.length === 0 || this.isClosed) callback();
    else this.finishing = callback;
  }

  /** The client has said its last: what it did not end with a line end counts as a line. */
  override _flushData(): void {
    const line = this.begun;
    this.begun = "";
    if (line !== "" && !this.isClosed) this.onLine(decoded(line), () => {});
  }

  private read(): void {
    if (this.reading) return;
    this.reading = true;
    this.answered = 0;
    try {
      while (!this.paused) {
        const [chunk] = this.arrived;
        if (chunk === undefined) break;
        if (this.isClosed) this.forget();
        else if (this.at >= chunk.length) this.drop(chunk);
        else if (this.sink !== undefined) this.readData(chunk, this.sink);
        else this.readLine(chunk);
      }
    } finally {
      this.reading = false;
    }
    if (this.arrived.length > 0) return;
    this.finishing?.();
    this.finishing = undefined;
  }

  /**
   * Gives the memory of what a socket has read back at once: garbage collection waits until 64 MiB of it lie about, and
   * the next read would find no warm memory.
   */
  private drop(chunk: Buffer): void {
    this.arrived.shift();
    this.unread -= chunk.length;
    this.at = 0;
    const { buffer, length } = chunk;
    if (length >= smallestReleased && buffer.byteLength === length && buffer instanceof ArrayBuffer) buffer.transfer(0);
  }

  private forget(): void {
    this.arrived.length = 0;
    this.unread = 0;
    this.at = 0;
  }

  private readLine(chunk: Buffer): void {
    const end = chunk.indexOf(lineFeed, this.at);
    const text = this.begun + chunk.toString("latin1", this.at, end === -1 ? chunk.length : end);
    this.at = end === -1 ? chunk.length : end + 1;
    const line = end !== -1 && text.endsWith("\r") ? text.slice(0, -1) : text;
    this.begun = end === -1 ? line : "";
    if (line.length > this._maxCommandLength) {
      this.begun = "";
      this.forget();
      this.emit("error", new Error("Command line too long"));
    } else if (end !== -1) this.command(line);
  }

  private command(line: string): void {
    this.paused = true;
    this.onLine(decoded(line), this.goOn);
  }

  private readonly goOn = (): void => {
    this.answered += 1;
    if (this.answered < mostAtOnce) this.resume();
    else setImmediate(() => this.resume());
  };

  private readData(chunk: Buffer, sink: DataSink): void {
    const bytes = this.withHeld(chunk);
    let from = this.at;
    let dotAt = this.atDataStart && bytes[from] === dot ? from : dotAfterLine(bytes, from);
    while (dotAt !== -1) {
      const meaning = judge(bytes, dotAt);
      if (meaning === "unknown") break;
      if (meaning === "end") {
        this.at = dotAt + 3;
        this.sink = undefined;
        this.paused = true;
        sink.end(bytes.subarray(from, dotAt));
        return;
      }
      if (dotAt > from) sink.part(bytes.subarray(from, dotAt));
      this.atDataStart = false;
      from = dotAt + 1;
      dotAt = dotAfterLine(bytes, from);
    }
    const to = Math.max(from, dotAt === -1 ? undecidedFrom(bytes, from) : dotAt - 2);
    this.at = bytes.length;
    if (to < bytes.length) this.held = Buffer.from(bytes.subarray(to));
    if (to === from) return;
    this.atDataStart = false;
    sink.part(bytes.subarray(from, to));
  }

  /** The chunk behind what was held of the one before, in its place. */
  private withHeld(chunk: Buffer): Buffer {
    if (this.held === undefined) return chunk;
    const joined = Buffer.concat([this.held, chunk]);
    this.unread += this.held.length;
    this.arrived[0] = joined;
    this.held = undefined;
    return joined;
  }
}

/** Bytes were read as characters; only those beyond ASCII need more. */
function decoded(line: string): string {
  return beyondAscii.test(line) ? Buffer.from(line, "latin1").toString() : line;
}

function dotAfterLine(bytes: Buffer, from: number): number {
  const found = bytes.indexOf(lineThenDot, from);
  return found === -1 ? -1 : found + 2;
}

/** What the dot at `at`, first of its line, means; "unknown" until the two bytes after it have arrived. */
function judge(bytes: Buffer, at: number): "end" | "stuffed" | "unknown" {
  const next = bytes[at + 1];
  if (next === undefined) return "unknown";
  if (next !== carriageReturn) return "stuffed";
  const second = bytes[at + 2];
  if (second === undefined) return "unknown";
  return second === lineFeed ? "end" : "stuffed";
}

/** Where a line end begins, at `from` or later, that the next chunk may continue with a dot; the length when nowhere. */
function undecidedFrom(bytes: Buffer, from: number): number {
  const { length } = bytes;
  if (bytes[length - 1] === carriageReturn) return length - 1;
  if (bytes[length - 1] === lineFeed && length - 2 >= from && bytes[length - 2] === carriageReturn) return length - 2;
  return length;
}
