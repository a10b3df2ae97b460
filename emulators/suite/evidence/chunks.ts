/**
 * Gathers what is written into chunks, in one stretch of memory that is used again and again: memory touched for the
 * first time costs more than what is written there.
 */
export interface Chunks {
  /** These stay together in a chunk. */
  write(...parts: readonly (string | Uint8Array)[]): void;
  /** Hands over what is left. */
  flush(): void;
}

const size = 128 * 1024;

/** @param take gets each chunk, which is good until it returns */
export function chunks(take: (chunk: Buffer) => void): Chunks {
  let stretch: Buffer | undefined;
  let filled = 0;
  const flush = () => {
    if (filled > 0 && stretch) take(stretch.subarray(0, filled));
    filled = 0;
  };
  return {
    flush,
    write(...parts) {
      // A character is at most three bytes of UTF-8 per unit of length.
      const most = parts.reduce((sum, part) => sum + (typeof part === "string" ? 3 * part.length : part.length), 0);
      if (filled + most > size) flush();
      if (most > size) {
        take(Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part))));
        return;
      }
      stretch ??= Buffer.allocUnsafeSlow(size);
      for (const part of parts) {
        if (typeof part === "string") filled += stretch.write(part, filled);
        else {
          stretch.set(part, filled);
          filled += part.length;
        }
      }
    },
  };
}
