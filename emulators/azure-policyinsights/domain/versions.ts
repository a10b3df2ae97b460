/** Versions of definitions and initiatives, and the patterns by which assignments ask for one. */
import { type Json, member, text } from "./json.ts";

/** Of the properties of a definition or an initiative. What a client does not number is its first. */
export function versionIn(properties: Json): string {
  return text(properties, "version") || text(member(properties, "metadata"), "version") || "1.0.0";
}

/** Below 0 when `left` is the older one; what has a suffix comes after what has none. */
export function compareVersions(left: string, right: string): number {
  const [one, other] = [left.split(/[.-]/).map(Number), right.split(/[.-]/).map(Number)];
  for (let at = 0; at < 3; at += 1) {
    const difference = (one[at] ?? 0) - (other[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Whether `pattern` is one: `1.*.*`, `1.2.*`, `1.2.3` or one of these with a suffix, `2.*.*-preview`. */
export function isVersionPattern(pattern: string): boolean {
  return /^\d{1,6}\.(\*\.\*|\d{1,6}\.(\*|\d{1,6}))(-[a-z]+)?$/.test(pattern);
}

/**
 * Whether a version is among those that a pattern asks for; "" asks for any. A preview must be asked for.
 * https://learn.microsoft.com/azure/governance/policy/concepts/assignment-structure#policy-definition-id-and-version
 */
export function isAsked(version: string, pattern: string): boolean {
  if (pattern === "") return true;
  const [numbers = "", suffix] = version.split("-");
  const [wanted = "", wantedSuffix] = pattern.split("-");
  if (suffix !== undefined && suffix !== wantedSuffix) return false;
  const own = numbers.split(".");
  return wanted.split(".").every((part, at) => part === "*" || Number(part) === Number(own[at] ?? 0));
}
