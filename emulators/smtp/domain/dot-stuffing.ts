/**
 * Content as SMTP and POP3 send it (RFC 5321 4.5.2, RFC 1939 section 3): a dot more before each line that begins with one,
 * and a dot alone at the end.
 */
export function* dotStuffed(content: Iterable<Buffer>): Iterable<Buffer> {
  let tail = "\r\n";
  for (const piece of content) {
    const text = tail + piece.toString("latin1");
    yield Buffer.from(text.replaceAll("\r\n.", "\r\n..").slice(tail.length), "latin1");
    tail = text.slice(-2);
  }
  yield Buffer.from(tail === "\r\n" ? ".\r\n" : "\r\n.\r\n");
}
