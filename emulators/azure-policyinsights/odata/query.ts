/** The query string of a request: names without regard to case, first value wins, `+` is a space. */
export type Query = ReadonlyMap<string, string>;

export function parseQuery(target: string): Query {
  const query = new Map<string, string>();
  const mark = target.indexOf("?");
  if (mark < 0) return query;
  for (const pair of target.slice(mark + 1).split("&")) {
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals)).toLowerCase();
    if (name !== "" && !query.has(name)) query.set(name, equals < 0 ? "" : decode(pair.slice(equals + 1)));
  }
  return query;
}

/** Percent-decoded; as it stands when it is not valid encoding, which some clients send in filters. */
function decode(text: string): string {
  const spaced = text.replaceAll("+", " ");
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
