/** The 2010 API writes JSON with a space after every comma and colon. */
export function spacedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(", ")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}: ${spacedJson(member)}`).join(", ")}}`;
  }
  return JSON.stringify(value);
}

/** Free text as JSON. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}
