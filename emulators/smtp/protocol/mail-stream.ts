import { SMTPStream } from "smtp-server/lib/smtp-stream.js";

const lineThenDot = Buffer.from("\r\n.");
const dot = 0x2e;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;

/**
 * The library's parser with its own reading of DATA. A line ends at CRLF and nowhere else, so a dot after a bare LF or a
 * bare CR is content (RFC 5321 2.3.8); the first dot of a line is dropped when more follows (4.5.2). The library's reader
 * looks at every byte in JavaScript and gives up the turn at each stuffed dot, which makes a message of dots a hundred
 * times slower than any other.
 */
export class MailStream extends SMTPStream {
  /** The end of the last chunk while it may still begin `\r\n.\r\n`. */
  private held: Buffer | undefined;

  override _feedDataStream(arrived: Buffer, done: (cause?: Error | null) => void): void {
    const chunk = this.held === undefined ? arrived : Buffer.concat([this.held, arrived]);
    this.held = undefined;
    const pieces: Buffer[] = [];
    let from = 0;
    let dotAt = this._atDataStart && chunk[0] === dot ? 0 : dotAfterLine(chunk, 0);
    while (dotAt !== -1) {
      const meaning = judge(chunk, dotAt);
      if (meaning === "unknown") break;
      if (dotAt > from) pieces.push(chunk.subarray(from, dotAt));
      if (meaning === "end") {
        const last = joined(pieces);
        this._countDataBytes(last.length);
        this._endDataMode(last, chunk.subarray(dotAt + 3), done);
        return;
      }
      from = dotAt + 1;
      dotAt = dotAfterLine(chunk, from);
    }
    const to = Math.max(from, dotAt === -1 ? undecidedFrom(chunk) : dotAt - 2);
    if (to > from) pieces.push(chunk.subarray(from, to));
    if (to > 0) this._atDataStart = false;
    // Copied: whoever takes the rest may give the chunk's memory back.
    if (to < chunk.length) this.held = Buffer.from(chunk.subarray(to));
    this.pass(joined(pieces), done);
  }

  /**
   * The library forgets what continues only after it has continued; when our handlers, which answer at once, have by then
   * read the next pipelined message whole, it forgets that one's.
   */
  override continue(): void {
    const resume = this._continueCallback;
    this._continueCallback = typeof resume !== "function";
    if (typeof resume === "function") resume();
  }

  private pass(content: Buffer, done: (cause?: Error | null) => void): void {
    const dataStream = this._dataStream;
    if (content.length === 0 || dataStream === null) {
      done();
      return;
    }
    this._countDataBytes(content.length);
    if (!dataStream.writable || dataStream.write(content) || dataStream.destroyed) {
      done();
      return;
    }
    // A stream that is destroyed never drains, it only closes.
    const resume = () => {
      dataStream.removeListener("drain", resume);
      dataStream.removeListener("close", resume);
      done();
    };
    dataStream.once("drain", resume);
    dataStream.once("close", resume);
  }
}

function dotAfterLine(chunk: Buffer, from: number): number {
  const found = chunk.indexOf(lineThenDot, from);
  return found === -1 ? -1 : found + 2;
}

/** What the dot at `at`, first of its line, means; "unknown" until the two bytes after it have arrived. */
function judge(chunk: Buffer, at: number): "end" | "stuffed" | "unknown" {
  const next = chunk[at + 1];
  if (next === undefined) return "unknown";
  if (next !== carriageReturn) return "stuffed";
  const second = chunk[at + 2];
  if (second === undefined) return "unknown";
  return second === lineFeed ? "end" : "stuffed";
}

/** Where a line end begins that the next chunk may continue with a dot; the length when there is none. */
function undecidedFrom(chunk: Buffer): number {
  const { length } = chunk;
  if (chunk[length - 1] === carriageReturn) return length - 1;
  if (chunk[length - 1] === lineFeed && chunk[length - 2] === carriageReturn) return length - 2;
  return length;
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
}
