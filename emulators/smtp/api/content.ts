import { answer, type Exchange } from "../../kernel/exchange.ts";

/** Keeps a page that came by mail from running or loading anything, wherever it is opened. */
export const harmless = {
  "content-security-policy": "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
} as const;

/** Types that a browser only shows; everything else that came by mail is offered as a file. */
const shownTypes = /^(?:image\/(?:png|jpeg|gif|webp|bmp|avif)|text\/plain|audio\/[\w.+-]+|video\/[\w.+-]+)$/;

/** Answers with a message's bytes, in pieces when there are several. */
export function answerBytes(
  exchange: Exchange,
  pieces: Iterable<Buffer>,
  headers: Readonly<Record<string, string>>,
): Response {
  const iterator = pieces[Symbol.iterator]();
  const first = iterator.next();
  const second = first.done ? first : iterator.next();
  if (first.done || second.done) return answer(exchange, 200, first.done ? "" : first.value, headers);
  const waiting = [first.value, second.value];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = waiting.length > 0 ? { done: false, value: waiting.shift() } : iterator.next();
      if (next.done || next.value === undefined) controller.close();
      else controller.enqueue(next.value);
    },
  });
  return answer(exchange, 200, body, headers);
}

/** Headers of a part that is opened by its address. */
export function partHeaders(contentType: string, filename: string): Record<string, string> {
  const safe = shownTypes.test(contentType);
  return {
    ...harmless,
    "content-type": /^[\w.+-]+\/[\w.+-]+$/.test(contentType) ? contentType : "application/octet-stream",
    "content-disposition": `${safe ? "inline" : "attachment"}; ${filenameParameter(filename)}`,
  };
}

/** RFC 6266: an ASCII name, and the real one where it is not. */
export function filenameParameter(filename: string): string {
  const ascii = filename.replaceAll(/[^\x20-\x7e]|["\\/]/g, "_");
  const plain = `filename="${ascii === "" ? "part" : ascii}"`;
  return ascii === filename ? plain : `${plain}; filename*=UTF-8''${encodeURIComponent(filename)}`;
}
