/** Finds the end of each response of a connection that has one request under way; bodies are counted, not kept. */

export interface Response {
  readonly status: number;
  /** The first characters, to show when the status is not the expected one. */
  readonly start: string;
}

const nothing: Buffer = Buffer.alloc(0);
const lastChunk = Buffer.from("0\r\n\r\n");

/** @returns a function that takes what arrives and answers when a response is complete */
export function createResponseReader(): (chunk: Buffer) => Response | undefined {
  let head = nothing;
  let current: Response | undefined;
  /** Bytes of the body still to come; undefined where the length is not known: chunked. */
  let left: number | undefined;
  let tail = nothing;

  const readHead = (chunk: Buffer): Buffer | undefined => {
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const text = head.toString("latin1", 0, end);
    const body = head.subarray(end + 4);
    const status = Number(text.slice(9, 12));
    current = { status, start: status < 400 ? "" : head.toString("latin1", 0, 600) };
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
    left = length === undefined ? undefined : Number(length);
    head = nothing;
    tail = nothing;
    return body;
  };

  return (chunk) => {
    const body = current ? chunk : readHead(chunk);
    if (!body) return undefined;
    if (left !== undefined) left -= body.length;
    else tail = Buffer.concat([tail, body]).subarray(-lastChunk.length);
    if (left === undefined ? !tail.equals(lastChunk) : left > 0) return undefined;
    const complete = current;
    current = undefined;
    return complete;
  };
}
