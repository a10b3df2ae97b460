import { linesOfHtml } from "./html-text.ts";
import { elementsOf, textWithin, treeOf } from "./html-tree.ts";
import type { Mail } from "./mail.ts";

export interface Link {
  readonly url: string;
  /** What stands between the tags; empty for a link in plain text. */
  readonly text: string;
  readonly source: "html" | "text";
}

const plainLink = /\bhttps?:\/\/[^\s<>"'`)\]}]+/gi;

/** Links in document order, those of the HTML first, each once. */
export function linksOf(mail: Pick<Mail, "html" | "text">): readonly Link[] {
  const links = new Map<string, Link>();
  for (const element of elementsOf(treeOf(mail.html))) {
    const url = element.name === "a" ? (element.attributes.get("href") ?? "").trim() : "";
    if (/^(?:https?|mailto|tel):/i.test(url) && !links.has(url))
      links.set(url, { url, text: textWithin(element), source: "html" });
  }
  for (const [found] of mail.text.matchAll(plainLink)) {
    const url = found.replace(/[.,;:!?]+$/, "");
    if (!links.has(url)) links.set(url, { url, text: "", source: "text" });
  }
  return [...links.values()];
}

/** Links and everything else a page would load: images, style sheets. */
export function resourcesOf(mail: Pick<Mail, "html" | "text">): readonly string[] {
  const found = new Set(linksOf(mail).map(({ url }) => url));
  for (const { name, attributes } of elementsOf(treeOf(mail.html)))
    if (["img", "link", "source", "iframe"].includes(name))
      found.add((attributes.get("src") ?? attributes.get("href") ?? "").trim());
  return [...found].filter((url) => /^https?:/i.test(url));
}

export interface Code {
  readonly code: string;
  /** The line in which it stands. */
  readonly context: string;
}

const spoken =
  /\b(?:code|pin|otp|passcode|password|token|verification|confirm\w*|security|one[- ]time|2fa|login|einmal\w*|best[äa]tigung\w*)\b/i;

/**
 * One-time codes: four to eight digits, or six to ten capitals and digits mixed, also in two groups (`123-456`). Those in
 * or just after a line that speaks of a code come first.
 */
export function codesOf(mail: Pick<Mail, "html" | "text" | "subject">, pattern?: RegExp): readonly Code[] {
  const body = mail.text.trim() === "" ? linesOfHtml(mail.html) : mail.text;
  const lines = [mail.subject, ...body.split(/\r?\n/)].map((line) => line.trim()).filter((line) => line !== "");
  const likely: Code[] = [];
  const others: Code[] = [];
  lines.forEach((line, index) => {
    const near = spoken.test(line) || spoken.test(lines[index - 1] ?? "");
    for (const code of codesIn(line, pattern)) (near ? likely : others).push({ code, context: line.slice(0, 200) });
  });
  const seen = new Set<string>();
  return [...likely, ...others].filter(({ code }) => !seen.has(code) && seen.add(code));
}

function codesIn(line: string, pattern: RegExp | undefined): readonly string[] {
  if (pattern !== undefined) return [...line.matchAll(pattern)].map((match) => match[1] ?? match[0]);
  const withoutLinks = line.replaceAll(plainLink, " ");
  const found = [
    ...withoutLinks.matchAll(
      /(?<![\w.@#/-])(\d{4,8}|\d{3}[- ]\d{3}|(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{6,10})(?![\w@]|[-./]\w)/g,
    ),
  ];
  return found.map((match) => (match[1] ?? "").replaceAll(/^(\d{3})[- ](\d{3})$/g, "$1$2"));
}
