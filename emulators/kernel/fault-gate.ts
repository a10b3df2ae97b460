/** Planned faults of HTTP requests: gathers what rules ask for, and does what the rule that fires says. */
import { createHash } from "node:crypto";
import type { Exchange } from "./exchange.ts";
import type { FaultDecision, Faults } from "./faults.ts";
import type { Fact } from "./faults-match.ts";
import type { Gate, Routed, Work } from "./gate.ts";
import type { IdPart } from "./ids.ts";
import { addHeaders, refuse, throttle } from "./refusals.ts";

/** A client that has not given up by then never will. */
const longestStallMs = 60_000;

export function createFaultGate(faults: Faults): Gate {
  return {
    around(exchange, routed, run) {
      if (!faults.active) return run();
      const decision = faults.decide({
        stage: "request",
        facts: factsOf(exchange, routed),
        content: () => contentOf(exchange),
        about: { request: exchange.id, method: exchange.method, target: exchange.target },
      });
      return decision ? carryOut(faults, decision, exchange, routed, run) : run();
    },
  };
}

async function carryOut(
  faults: Faults,
  { rule, action }: FaultDecision,
  exchange: Exchange,
  { errors }: Routed,
  run: () => Work,
): Promise<void> {
  exchange.note("fault", rule);
  const done = await faults.hold(action, exchange.id);
  if (!done) {
    // A reset came first: the request belongs to a state that is gone.
    exchange.departure = { tag: "reset" };
    return;
  }
  try {
    if (action.reset === true) {
      exchange.departure = { tag: "reset" };
      return;
    }
    if (action.throttle) throttle(exchange, errors, action.throttle.retryAfterSeconds);
    else if (action.status !== undefined)
      refuse(exchange, errors, {
        status: action.status,
        ...(action.code === undefined ? {} : { code: action.code }),
        ...(action.message === undefined ? {} : { message: action.message }),
      });
    else await repeat(exchange, action.duplicate ?? 1, run);
    if (action.reset === "after") exchange.departure = { tag: "reset" };
    if (action.truncate !== undefined) exchange.departure = { tag: "truncate", bytes: action.truncate };
    if (action.stall) exchange.departure = { tag: "stall", mostMs: longestStallMs };
    addHeaders(exchange, { "x-backlot-fault": rule });
  } finally {
    done();
  }
}

/** The client of a request that the network doubled sees the first answer. */
async function repeat(exchange: Exchange, times: number, run: () => Work): Promise<void> {
  await run();
  const first = exchange.answered;
  for (let n = 2; n <= times; n += 1) {
    exchange.answered = undefined;
    await run();
  }
  exchange.answered = first;
}

/** Looked up when a rule asks: a path costs nothing, an operation a route look-up, a body field a parse. */
function factsOf(exchange: Exchange, routed: Routed): (name: string) => Fact {
  const paths = pathsOf(exchange);
  let facts: ReturnType<Routed["facts"]> | undefined;
  let fields: ReadonlyMap<string, readonly string[]> | undefined;
  return (name) => {
    if (name === "method") return exchange.method;
    if (name === "path") return paths;
    if (name.startsWith("header.")) return exchange.header(name.slice(7));
    if (name.startsWith("body.")) {
      fields ??= fieldsOf(exchange);
      return fields.get(name.slice(5));
    }
    facts ??= routed.facts();
    if (name === "resource") return [...segmentsOf(exchange), ...(facts.resource ?? [])];
    return name === "operation" ? facts.operation : undefined;
  };
}

/** Without the query; with and without the prefix that reached the site on a plain address. */
function pathsOf(exchange: Exchange): string | readonly string[] {
  const query = exchange.target.indexOf("?");
  const path = query < 0 ? exchange.target : exchange.target.slice(0, query);
  const prefix = exchange.base.length - exchange.origin.length;
  return prefix > 0 ? [path.slice(prefix) || "/", path] : path;
}

function segmentsOf(exchange: Exchange): readonly string[] {
  const path = pathsOf(exchange);
  return (typeof path === "string" ? path : (path[0] ?? ""))
    .split("/")
    .filter((segment) => segment !== "")
    .map(decoded);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // a stray % is the client's own text
  }
}

/** Top-level fields of a form or of JSON, as text. */
function fieldsOf(exchange: Exchange): ReadonlyMap<string, readonly string[]> {
  const text = exchange.body.toString("utf8");
  const fields = new Map<string, readonly string[]>();
  if (exchange.header("content-type")?.startsWith("application/x-www-form-urlencoded")) {
    const form = new URLSearchParams(text);
    for (const name of form.keys()) fields.set(name, form.getAll(name));
    return fields;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fields; // no fields to match: what is wrong with the body is the provider's to say
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return fields;
  for (const [name, field] of Object.entries(value))
    fields.set(name, [typeof field === "string" ? field : JSON.stringify(field)]);
  return fields;
}

function contentOf(exchange: Exchange): readonly IdPart[] {
  const prefix = exchange.base.length - exchange.origin.length;
  return [
    exchange.method,
    exchange.target.slice(prefix),
    createHash("sha256").update(exchange.body).digest("base64url"),
  ];
}
