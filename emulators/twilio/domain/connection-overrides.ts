/**
 * What the fragment of a webhook URL asks for: `#rc=3&rp=5xx,ct`. https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
 * Values outside their range fall back to the default.
 */

export type RetryPolicy = "4xx" | "5xx" | "ct" | "rt" | "all";

export interface ConnectionOverrides {
  readonly connectMs: number;
  readonly readMs: number;
  readonly totalMs: number;
  readonly retries: number;
  readonly policies: readonly RetryPolicy[];
}

export type Failure = { readonly tag: "status"; readonly status: number } | { readonly tag: "connect" | "read" };

const policies: readonly RetryPolicy[] = ["4xx", "5xx", "ct", "rt", "all"];

export function readOverrides(url: string): ConnectionOverrides {
  const hash = url.indexOf("#");
  const fragment = new URLSearchParams(hash < 0 ? "" : url.slice(hash + 1));
  const whole = (name: string, least: number, most: number, fallback: number) => {
    const text = fragment.get(name) ?? "";
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? value : fallback;
  };
  const asked = (fragment.get("rp") ?? "ct").split(",").map((word) => word.trim());
  const known = policies.filter((policy) => asked.includes(policy));
  return {
    connectMs: whole("ct", 100, 10_000, 5_000),
    readMs: whole("rt", 100, 15_000, 15_000),
    totalMs: whole("tt", 100, 15_000, 15_000),
    retries: whole("rc", 0, 5, 1),
    policies: known.length === asked.length ? known : ["ct"],
  };
}

/** Whether to try again after `attempts` tries, the last of which ended in `failure`. */
export function shouldRetry(overrides: ConnectionOverrides, attempts: number, failure: Failure): boolean {
  if (attempts > overrides.retries) return false;
  return overrides.policies.some((policy) => policy === "all" || policy === policyFor(failure));
}

function policyFor(failure: Failure): RetryPolicy | undefined {
  if (failure.tag !== "status") return failure.tag === "connect" ? "ct" : "rt";
  if (failure.status >= 500) return "5xx";
  return failure.status >= 400 ? "4xx" : undefined;
}
