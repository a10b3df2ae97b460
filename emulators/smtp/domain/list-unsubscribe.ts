export interface ListUnsubscribe {
  readonly header: string;
  readonly links: readonly string[];
  readonly errors: string;
  readonly post: string;
}

/** List-Unsubscribe as RFC 2369 has it, and what Mailpit finds wrong with it. */
export function readListUnsubscribe(header: string | undefined, post: string | undefined): ListUnsubscribe {
  if (header === undefined || header === "") return { header: "", links: [], errors: "", post: "" };
  const value = header.replaceAll(/\([^)]*\)/g, "").trim();
  const known = { header, post: post ?? "" };
  const found = [...value.matchAll(/<([^>]*)>/g)].map((match) => match[1] ?? "");
  if (found.length === 0) return { ...known, links: [], errors: `"${value}" no valid unsubscribe links found` };
  if (!/^<.*>$/s.test(value)) return { ...known, links: [], errors: `"${value}" should be enclosed in <>` };
  if (found.length > 2)
    return { ...known, links: [], errors: `"${value}" should include a maximum of one email and one HTTP link` };
  if (!/^<[^>]*>(?:\s*,\s*<[^>]*>)*$/s.test(value))
    return { ...known, links: [], errors: `"${value}" <> should be split with a comma and optional spaces` };
  const links: string[] = [];
  const errors: string[] = [];
  const kinds = new Set<string>();
  for (const link of found) {
    const kind = /^mailto:[a-z0-9]/i.test(link)
      ? "mailto:"
      : /^https?:\/\/[a-z0-9]/i.test(link)
        ? "HTTP link"
        : undefined;
    if (/\s/.test(link)) errors.push(`"${link}" should not contain spaces`);
    else if (kind === undefined) errors.push(`"${link}" should start with either http(s):// or mailto:`);
    else if (kinds.has(kind)) errors.push(`"${link}" should only contain one ${kind}`);
    else {
      kinds.add(kind);
      links.push(link);
    }
  }
  return { ...known, links, errors: errors.join(", ") };
}
