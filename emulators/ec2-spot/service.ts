/** Which of the services that share one address a request means. */
import type { Exchange } from "../kernel/exchange.ts";
import { credentialOf } from "./sigv4.ts";

export type Service = "ec2" | "sts" | "other";

/** By credential scope when there is one, else by Version, else by host. */
export function serviceOf(exchange: Exchange): Service {
  const scope = credentialOf(exchange);
  if (scope) return scope.service === "ec2" || scope.service === "sts" ? scope.service : "other";
  if (exchange.target.includes("Version=2011-06-15") || exchange.body.includes("Version=2011-06-15")) return "sts";
  if (exchange.target.includes("Version=2016-11-15") || exchange.body.includes("Version=2016-11-15")) return "ec2";
  return exchange.host.startsWith("sts.") ? "sts" : "ec2";
}
