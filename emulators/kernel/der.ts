/** The few ASN.1 DER shapes an X.509 certificate needs. Node can read certificates but not write them. */

export const der = {
  node(tag: number, ...parts: readonly Uint8Array[]): Buffer {
    const body = Buffer.concat(parts);
    return Buffer.concat([Buffer.from([tag]), length(body.length), body]);
  },
  sequence: (...parts: readonly Uint8Array[]) => der.node(0x30, ...parts),
  set: (...parts: readonly Uint8Array[]) => der.node(0x31, ...parts),
  integer(bytes: Uint8Array) {
    const first = bytes[0] ?? 0;
    return der.node(0x02, first & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
  },
  boolean: (value: boolean) => der.node(0x01, Buffer.from([value ? 0xff : 0])),
  oid(text: string) {
    const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
    const bytes = [first * 40 + second];
    for (const number of rest) {
      const groups = [number & 0x7f];
      for (let left = number >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
      bytes.push(...groups);
    }
    return der.node(0x06, Buffer.from(bytes));
  },
  utf8: (text: string) => der.node(0x0c, Buffer.from(text)),
  /** RFC 5280: UTCTime until 2049, GeneralizedTime after. */
  time(instant: number) {
    const digits = new Date(instant).toISOString().replace(/\D/g, "").slice(0, 14);
    return digits < "20500101000000"
      ? der.node(0x17, Buffer.from(`${digits.slice(2)}Z`))
      : der.node(0x18, Buffer.from(`${digits}Z`));
  },
  octets: (...parts: readonly Uint8Array[]) => der.node(0x04, ...parts),
  bits: (bytes: Uint8Array, unused = 0) => der.node(0x03, Buffer.from([unused]), bytes),
  /** Context tag; `constructed` when it wraps whole nodes. */
  context: (tag: number, constructed: boolean, ...parts: readonly Uint8Array[]) =>
    der.node((constructed ? 0xa0 : 0x80) | tag, ...parts),
};

function length(size: number): Buffer {
  if (size < 0x80) return Buffer.from([size]);
  const bytes: number[] = [];
  for (let left = size; left > 0; left = Math.floor(left / 256)) bytes.unshift(left & 0xff);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}
