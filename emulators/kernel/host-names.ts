/** Host names as they are declared and as they come in a Host header. */

/** Whether a declared host pattern covers a name: `ec2.*.amazonaws.com`, `*.twilio.com`. */
export function hostPattern(pattern: string): RegExp {
  const escaped = pattern
    .toLowerCase()
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join("[a-z0-9.-]+")}$`);
}

/** Without port and final dot, in lower case. */
export function hostname(host: string): string {
  const lower = host.toLowerCase();
  if (lower.startsWith("[")) return lower.slice(0, lower.indexOf("]") + 1);
  const colon = lower.indexOf(":");
  return (colon < 0 ? lower : lower.slice(0, colon)).replace(/\.$/, "");
}
