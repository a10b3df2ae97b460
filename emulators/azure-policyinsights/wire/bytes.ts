/**
 * Answers of megabytes as bytes: kept pieces are copied into memory that was used before. Fresh memory costs more than
 * everything that is written into it, because the system hands it out page by page.
 */

/** Where an answer is written. */
export interface Writing {
  /** Copies bytes. */
  bytes(part: Uint8Array): void;
  text(text: string): void;
  /** `hh:mm:ss.` and seven more digits: milliseconds of the day, and ticks of 100 ns below a millisecond. */
  timeOfDay(milliseconds: number, ticks: number): void;
  /** A whole number of 32 bits in base 36, lower case. */
  base36(value: number): void;
}

export interface Writer extends Writing {
  /** What was written, in memory that is used again once it is given back. */
  written(): Buffer;
}

export interface Memory {
  take(): Writer;
  /** Takes back what `written` lent. */
  giveBack(bytes: Buffer): void;
}

const smallest = 2 * 1024 * 1024;
/** What two requests need that are under way at once. */
const mostKept = 2;
const mostBytesKept = 8 * 1024 * 1024;

export function createMemory(): Memory {
  const kept: Buffer[] = [];
  return {
    take: () => createWriter(kept.pop() ?? Buffer.allocUnsafeSlow(smallest)),
    giveBack({ buffer }) {
      if (kept.length < mostKept && buffer.byteLength <= mostBytesKept) kept.push(Buffer.from(buffer));
    },
  };
}

const [zero, point, colon] = [48, 46, 58];
const letterA = 97 - 10;
const digit = (value: number) => (value < 10 ? zero + value : letterA + value);

function createWriter(memory: Buffer): Writer {
  let buffer = memory;
  let at = 0;
  const room = (more: number) => {
    if (at + more <= buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * buffer.length, at + more));
    larger.set(buffer.subarray(0, at));
    buffer = larger;
  };
  // Divisions below stay within 31 bits: those of larger numbers take several times as long.
  const digits = (value: number, width: number) => {
    let rest = value;
    for (let place = at + width - 1; place >= at; place -= 1) {
      const left = (rest / 10) | 0;
      buffer[place] = zero + rest - 10 * left;
      rest = left;
    }
    at += width;
  };
  const mark = (character: number) => {
    buffer[at] = character;
    at += 1;
  };
  return {
    bytes(part) {
      room(part.length);
      buffer.set(part, at);
      at += part.length;
    },
    text(text) {
      room(3 * text.length); // no character takes more for each of its units
      at += buffer.write(text, at);
    },
    timeOfDay(milliseconds, ticks) {
      room("hh:mm:ss.fffffff".length);
      const seconds = (milliseconds / 1000) | 0;
      const minutes = (seconds / 60) | 0;
      const hours = (minutes / 60) | 0;
      digits(hours, 2);
      mark(colon);
      digits(minutes - hours * 60, 2);
      mark(colon);
      digits(seconds - minutes * 60, 2);
      mark(point);
      digits((milliseconds - seconds * 1000) * 10_000 + ticks, 7);
    },
    base36(value) {
      room(7);
      const upper = Math.floor(value / 36);
      let width = 1;
      for (let rest = upper | 0; rest > 0; rest = (rest / 36) | 0) width += 1;
      const last = at + width - 1;
      buffer[last] = digit(value - 36 * upper);
      let rest = upper | 0;
      for (let place = last - 1; place >= at; place -= 1) {
        const left = (rest / 36) | 0;
        buffer[place] = digit(rest - 36 * left);
        rest = left;
      }
      at += width;
    },
    written: () => buffer.subarray(0, at),
  };
}
