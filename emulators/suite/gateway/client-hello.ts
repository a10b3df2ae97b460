/** The server name in the first bytes of a TLS connection, read before anything is decrypted. Pure. */

export type Opening =
  | { readonly tag: "more" }
  /** Not TLS: HTTP in the clear, or something else. */
  | { readonly tag: "plain" }
  | { readonly tag: "malformed" }
  /** `name` is absent when the client sent none (RFC 6066 3: it knows an address only). */
  | { readonly tag: "hello"; readonly name: string | undefined };

const handshakeRecord = 22;
const clientHello = 1;
/** A hello may span records (RFC 8446 5.1); the largest real ones, with post-quantum keys, take 2 KiB. */
const mostBytes = 16 * 1024;

export function readOpening(bytes: Buffer): Opening {
  if (bytes.length === 0) return { tag: "more" };
  if (bytes[0] !== handshakeRecord) return { tag: "plain" };
  const message = handshakeMessage(bytes);
  if (message === undefined) return { tag: bytes.length < mostBytes ? "more" : "malformed" };
  try {
    return message[0] === clientHello ? { tag: "hello", name: serverName(message) } : { tag: "malformed" };
  } catch {
    return { tag: "malformed" }; // a length that points beyond the message
  }
}

/** The first handshake message put together from its records; undefined while bytes are missing. */
function handshakeMessage(bytes: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  let have = 0;
  for (let at = 0; at + 5 <= bytes.length && bytes[at] === handshakeRecord; ) {
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    parts.push(bytes.subarray(at + 5, end));
    have += Math.min(end, bytes.length) - at - 5;
    at = end;
    const message = have >= 4 ? Buffer.concat(parts) : undefined;
    if (message && message.length >= 4 + message.readUIntBE(1, 3))
      return message.subarray(0, 4 + message.readUIntBE(1, 3));
  }
  return undefined;
}

/** RFC 8446 4.1.2 and RFC 6066 3. Throws RangeError where a length is wrong. */
function serverName(message: Buffer): string | undefined {
  let at = 4 + 2 + 32;
  at += 1 + message.readUInt8(at); // session id
  at += 2 + message.readUInt16BE(at); // cipher suites
  at += 1 + message.readUInt8(at); // compression methods
  if (at === message.length) return undefined;
  const end = at + 2 + message.readUInt16BE(at);
  at += 2;
  while (at < end) {
    const type = message.readUInt16BE(at);
    const length = message.readUInt16BE(at + 2);
    if (type === 0) {
      // A list of one: its length, the type host_name (0), the name's length.
      if (message.readUInt8(at + 6) !== 0) return undefined;
      const nameLength = message.readUInt16BE(at + 7);
      if (nameLength > length - 5) throw new RangeError("the server name is longer than its extension");
      return message.toString("latin1", at + 9, at + 9 + nameLength).toLowerCase();
    }
    at += 4 + length;
  }
  return undefined;
}

/** A fatal alert in the clear, as a server sends before any key is agreed: unrecognized_name (112), decode_error (50). */
export function fatalAlert(description: 112 | 50): Buffer {
  return Buffer.from([21, 3, 3, 0, 2, 2, description]);
}
