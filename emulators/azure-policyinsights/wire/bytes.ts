/**
 * Answers of megabytes as bytes: kept pieces are copied into memory that was used before. Fresh memory costs more than
 * everything that is written into it, because the system hands it out page by page.
 */

/** Where an answer is written. */
export interface Writing {
  /** Copies bytes. */
  bytes(part: Uint8Array): void;
  text(text: string): void;
  /** A whole number in `width` decimal digits. */
  digits(value: number, width: number): void;
  /** A whole number in base 36, lower case. */
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

const zero = 48;
const letterA = 97 - 10;

function createWriter(memory: Buffer): Writer {
  let buffer = memory;
  let at = 0;
  const room = (more: number) => {
    if (at + more <= buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * buffer.length, at + more));
    larger.set(buffer.subarray(0, at));
    buffer = larger;
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
    digits(value, width) {
      room(width);
      let rest = value;
      for (let place = at + width - 1; place >= at; place -= 1) {
        const left = Math.floor(rest / 10);
        buffer[place] = zero + rest - 10 * left;
        rest = left;
      }
      at += width;
    },
    base36(value) {
      let width = 1;
      for (let rest = value; rest >= 36; width += 1) rest = Math.floor(rest / 36);
      room(width);
      let rest = value;
      for (let place = at + width - 1; place >= at; place -= 1) {
        const left = Math.floor(rest / 36);
        const digit = rest - 36 * left;
        buffer[place] = digit < 10 ? zero + digit : letterA + digit;
        rest = left;
      }
      at += width;
    },
    written: () => buffer.subarray(0, at),
  };
}
