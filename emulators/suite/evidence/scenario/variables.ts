/** `${name}` in a scenario's texts, and what an answer is compared with. */

export type Variables = ReadonlyMap<string, string>;

/** Replaces every `${name}`, in texts, lists and objects alike. */
export function fill<T>(value: T, variables: Variables): T {
  return filled(value, variables) as T; // the same shape: only texts change
}

function filled(value: unknown, variables: Variables): unknown {
  if (typeof value === "string")
    return value.replace(/\$\{([^}]+)\}/g, (_, name: string) => {
      const known = variables.get(name);
      if (known === undefined)
        throw new Error(`\${${name}} is not known here; there are ${[...variables.keys()].sort().join(", ")}`);
      return known;
    });
  if (Array.isArray(value)) return value.map((part) => filled(part, variables));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, filled(part, variables)]));
}

/** `messages.0.sid` */
export function valueAt(value: unknown, path: string): unknown {
  let found = value;
  for (const part of path.split(".")) {
    if (typeof found !== "object" || found === null) return undefined;
    found = Object.entries(found).find(([name]) => name === part)?.[1];
  }
  return found;
}

/** What `/.../` says. */
export function patternOf(text: string): RegExp | undefined {
  const inner = /^\/(.+)\/$/s.exec(text)?.[1];
  return inner === undefined ? undefined : new RegExp(inner);
}

/** What differs, as `path: found, not expected`; empty when nothing does. */
export function differences(found: unknown, expected: unknown, at = "answer"): readonly string[] {
  if (typeof expected === "string") {
    const good = patternOf(expected)?.test(String(found)) ?? found === expected;
    return good ? [] : [`${at}: ${show(found)}, not ${expected}`];
  }
  if (typeof expected !== "object" || expected === null)
    return found === expected ? [] : [`${at}: ${show(found)}, not ${show(expected)}`];
  if (typeof found !== "object" || found === null) return [`${at}: ${show(found)}, not ${show(expected)}`];
  if (Array.isArray(expected) && Array.isArray(found) && found.length !== expected.length)
    return [`${at}: ${found.length} entries, not ${expected.length}`];
  return Object.entries(expected).flatMap(([name, part]) => differences(valueAt(found, name), part, `${at}.${name}`));
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
