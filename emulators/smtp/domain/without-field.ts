const blankLine = "\r\n\r\n";

/** A message in pieces without a field of its header; a header that does not end in the first piece stays as it is. */
export function* withoutField(pieces: Iterable<Buffer>, name: string): Generator<Buffer> {
  const field = new RegExp(`^${name}[ \\t]*:.*\\r?\\n(?:[ \\t].*\\r?\\n)*`, "gim");
  let first = true;
  for (const piece of pieces) {
    const end = first ? piece.indexOf(blankLine) : -1;
    first = false;
    const section = piece.toString("latin1", 0, end === -1 ? 0 : end + 2); // with its last line end
    const kept = section.replaceAll(field, "");
    yield kept === section ? piece : Buffer.concat([Buffer.from(kept, "latin1"), piece.subarray(section.length)]);
  }
}
