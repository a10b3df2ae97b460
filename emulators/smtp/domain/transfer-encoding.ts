/**
 * The bytes of a body as its Content-Transfer-Encoding has them, line ends included; an encoding that nobody knows is
 * taken as none (RFC 2045 6.4 would make it an attachment of unknown bytes, which these are).
 */
export function decodedBody(body: Buffer, encoding: string): Buffer {
  switch (encoding) {
    case "base64":
      return Buffer.from(body.toString("latin1"), "base64");
    case "quoted-printable":
      return quotedPrintable(body);
    default:
      return body;
  }
}

/** RFC 2045 6.7; white space at the end of a line was added on the way and goes, what is no code stays. */
function quotedPrintable(body: Buffer): Buffer {
  const text = body
    .toString("latin1")
    .replaceAll(/[ \t]+(?=\r?\n|$)/g, "")
    .replaceAll(/=(?:\r?\n|$)/g, "")
    .replaceAll(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, "latin1");
}
