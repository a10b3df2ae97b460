/** Which declared operations a request is, by the method and path that each is written with in the capabilities. */
import type { Capability } from "./emulator.ts";
import type { Exchange } from "./exchange.ts";
import { hostPattern } from "./host-names.ts";

interface Declared {
  readonly operation: string;
  readonly path: RegExp;
  /** `https://verify.twilio.com/v2/..` is an operation of that host alone. */
  readonly host: string | undefined;
}

export interface Operations {
  /** As the capabilities write them: `GET /notes/{id}`. Those of a host count when one of `hosts` covers it. */
  of(exchange: Exchange, hosts: readonly string[]): readonly string[];
}

/** Compiled when a planned fault first asks. A placeholder is one segment of the path, a spanning one any number. */
export function declaredOperations(capabilities: readonly Capability[], spanning: readonly string[] = []): Operations {
  let byMethod: ReadonlyMap<string, readonly Declared[]> | undefined;
  return {
    of(exchange, hosts) {
      byMethod ??= Map.groupBy(
        capabilities.flatMap(({ operation }) => compile(operation, spanning)),
        ({ operation }) => operation.slice(0, operation.indexOf(" ")),
      );
      const path = pathOf(exchange);
      return (byMethod.get(exchange.method) ?? [])
        .filter((one) => one.path.test(path) && (one.host === undefined || covers(hosts, one.host)))
        .map((one) => one.operation);
    },
  };
}

function compile(operation: string, spanning: readonly string[]): Declared[] {
  const [, host, path] = /^[A-Z]+ (?:https:\/\/([^/]+))?(\/.*)$/.exec(operation) ?? [];
  if (path === undefined) return []; // an action or a listener's step: its emulator tells it
  const source = path
    .split(/(\{\w+\})/)
    .map((part) => {
      if (!part.startsWith("{")) return part.replace(/[.+?^$*()|[\]\\]/g, "\\$&");
      return spanning.includes(part.slice(1, -1)) ? ".+" : "[^/]+";
    })
    .join("");
  return [{ operation, path: new RegExp(`^${source}/?$`, "i"), host }];
}

/** Without the query, and without the prefix that reached the site on a plain address. */
function pathOf({ target, base, origin }: Exchange): string {
  const query = target.indexOf("?");
  return (query < 0 ? target : target.slice(0, query)).slice(base.length - origin.length);
}

function covers(patterns: readonly string[], host: string): boolean {
  return patterns.some((pattern) => pattern === host || hostPattern(pattern).test(host));
}
