/** JSON whose bytes depend on the value alone: keys in code-unit order, two spaces, LF at the end. */

export function canonicalJson(value: unknown): string {
  return `${JSON.stringify(sorted(value), undefined, 2)}\n`;
}

/** One line, for files of lines and for what is signed. */
export function canonicalLine(value: unknown): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .sort(([left], [right]) => compareText(left, right))
      .map(([name, part]) => [name, sorted(part)]),
  );
}

/** By bytes, as LC_ALL=C sorts: no locale has a say. */
export function compareText(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
