/** Lines that are nothing but base64, at least two tokens' worth: what MIME hides. */
export interface Block {
  readonly from: number;
  readonly to: number;
}

const allowed = new Uint8Array(256);
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") allowed[char.charCodeAt(0)] = 1;

const [shortestAlone, shortestOfMany, longest] = [16, 40, 998];
const [lineFeed, carriageReturn, equals] = [10, 13, 61];

/** One after the other: lines of 40 and more with the last, shorter one; or a line of 16 and more by itself. */
export function base64Blocks(bytes: Uint8Array): readonly Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  for (let from = 0; from < bytes.length; ) {
    const newline = bytes.indexOf(lineFeed, from);
    const to = newline < 0 ? bytes.length : newline;
    const { length, padded } = measured(bytes, from, to);
    const goesOn = length >= shortestOfMany && !padded;
    if (open && length > 0) open = { from: open.from, to };
    else if (length >= shortestAlone) open = { from, to };
    if (open && !goesOn) {
      blocks.push(open);
      open = undefined;
    }
    from = to + 1;
  }
  if (open) blocks.push(open);
  return blocks;
}

/** How many characters of base64 a line holds; 0 when it holds anything else. */
function measured(bytes: Uint8Array, from: number, to: number): { length: number; padded: boolean } {
  let at = from;
  while (at < to && allowed[bytes[at] ?? 0] === 1) at += 1;
  const length = at - from;
  while (at < to && at < from + length + 2 && bytes[at] === equals) at += 1;
  const padded = at > from + length;
  if (at < to && bytes[at] === carriageReturn) at += 1;
  return at === to && length <= longest ? { length, padded } : { length: 0, padded };
}
