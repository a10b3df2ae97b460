/** Which of the services that share one address a request means. */
import type { Exchange } from "../kernel/exchange.ts";
import { credentialOf } from "./sigv4.ts";

export type Service = "ec2" | "sts" | "pricing" | "fis";

const scopes: ReadonlyMap<string, Service | "other"> = new Map([
  ["ec2", "ec2"],
  ["sts", "sts"],
  ["pricing", "pricing"],
  ["fis", "fis"],
]);

/** By credential scope when there is one, else by target header, path, Version or host. */
export function serviceOf(exchange: Exchange): Service | "other" {
  const scope = credentialOf(exchange);
  const scoped = scope && scopes.get(scope.service);
  if (scoped) return scoped;
  const target = exchange.header("x-amz-target");
  if (target !== undefined) return target.startsWith("AWSPriceListService.") ? "pricing" : "other";
  if (/^\/(experiment|actions|targetResourceTypes|tags)/.test(exchange.target)) return "fis";
  if (exchange.target.includes("Version=2011-06-15") || exchange.body.includes("Version=2011-06-15")) return "sts";
  if (exchange.target.includes("Version=2016-11-15") || exchange.body.includes("Version=2016-11-15")) return "ec2";
  // A scope for what nobody plays, and nothing else in the request that says more.
  if (scope) return "other";
  return exchange.host.startsWith("sts.") ? "sts" : "ec2";
}
