/**
 * What an emulator declares and what it is given. The kernel knows no provider: everything Twilio, Azure, AWS or mail
 * enters through these types.
 */
import type { Hono } from "hono";
import type { Certificates } from "./certificates.ts";
import type { Clock, Instant } from "./clock.ts";
import type { Exchange } from "./exchange.ts";
import type { Faults } from "./faults.ts";
import type { Ids } from "./ids.ts";
import type { Journal } from "./journal.ts";
import type { Log } from "./log.ts";
import type { Mode, Refusal } from "./mode.ts";
import type { Outbox, WebhookScheme } from "./outbox.ts";
import type { ProviderFault } from "./refusals.ts";
import type { SeedForm } from "./seed.ts";
import type { PortSetting, Settings } from "./settings.ts";
import type { SocketRoute } from "./site-sockets.ts";
import type { Database, RowHolding, Store } from "./state.ts";
import type { Timer, Timers } from "./timers.ts";

/** Hono's environment in every emulator: `c.env.exchange` is the request with its body already read and bounded. */
export type KernelEnv = { Bindings: { exchange: Exchange } };

/** Everything one running emulator instance owns. Two instances in one process share none of it. */
export interface Runtime<State> {
  readonly name: string;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly ids: Ids;
  readonly store: Store;
  readonly state: State;
  readonly journal: Journal;
  readonly outbox: Outbox;
  readonly faults: Faults;
  readonly mode: Mode;
  readonly log: Log;
}

/**
 * Answers in the provider's own error shape. `thrown` turns the emulator's own error class into its answer and returns
 * undefined for anything it does not know, which then becomes `unexpected` with an incident number.
 */
export interface ProviderErrors {
  notFound(exchange: Exchange): Response;
  methodNotAllowed(exchange: Exchange, allowed: readonly string[]): Response;
  tooLarge(exchange: Exchange, limitBytes: number): Response;
  throttled(exchange: Exchange, retryAfterSeconds: number): Response;
  unavailable(exchange: Exchange, refusal: Refusal): Response;
  unexpected(exchange: Exchange, incident: string): Response;
  thrown(exchange: Exchange, cause: unknown): Response | undefined;
  /** An error with a status and perhaps a code and message that a planned fault asks for. */
  fault(exchange: Exchange, fault: ProviderFault): Response;
}

/** A set of routes with the host names that reach it. */
export interface Site {
  /** Real host names, `*` for one run without a dot or with (`ec2.*.amazonaws.com`): what a gateway routes here. */
  readonly hosts: readonly string[];
  /** First path segment under which the site answers on a plain address, e.g. `verify`; absent: at the root. */
  readonly prefix?: string;
  /** Or how to load them, with the first request: what most runs never ask need not be in every start. */
  readonly routes: Hono<KernelEnv> | (() => Promise<Hono<KernelEnv>>);
  /** Paths at which it speaks WebSocket, on plain addresses. */
  readonly sockets?: readonly SocketRoute[];
  readonly errors: ProviderErrors;
  /** What planned faults match by, where method and path do not say it: an operation in the body, a resource's id. */
  facts?(exchange: Exchange): RequestFacts;
}

/** What a request is about; several texts are names of one thing, and any of them matches. */
export interface RequestFacts {
  readonly operation?: readonly string[];
  readonly resource?: readonly string[];
}

/** One or more sockets that speak HTTP and serve the same sites. */
export interface HttpSurface<State> {
  readonly name: string;
  readonly ports: readonly { readonly setting: PortSetting; readonly tls: boolean }[];
  sites(runtime: Runtime<State>): readonly Site[];
  /** Its JSON lists answer with ETag and 304: for what is polled and is not a provider with rules of its own. */
  readonly tagged?: boolean;
  /** Browsers that open `/` see a page, if whoever starts the emulator brings one. */
  readonly forPeople?: boolean;
  /** Given a way to open more ports with the same sites, now or later; they close with the emulator. 0 picks a free one. */
  more?(runtime: Runtime<State>, listen: (port: number) => Promise<number>): void;
}

/** A socket that is not HTTP. */
export interface Listener<State> {
  readonly name: string;
  readonly setting: PortSetting;
  /** Binds and answers with the real port. Closing waits at most `deadlineMs` for open sessions. */
  open(
    runtime: Runtime<State>,
    bind: { readonly host: string; readonly port: number; readonly certificates: Certificates },
  ): Promise<{ readonly port: number; close(deadlineMs: number): Promise<void> }>;
}

/** Where an emulator that was started can be reached, by surface or listener name and transport. */
export interface Address {
  readonly name: string;
  readonly scheme: "http" | "https" | "tcp";
  readonly host: string;
  readonly port: number;
}

export interface HealthCheck<State> {
  readonly name: string;
  /** Throws when unhealthy; the message and `hint` are shown. */
  check(runtime: Runtime<State>): void | Promise<void>;
  readonly hint: string;
}

export interface RequiredSetting {
  readonly env: string;
  readonly about: string;
  /** A value that shows the form, for the block to copy. Never a working credential. */
  readonly example: string;
}

/** An operation of the provider and how far it is emulated. `provedBy` names test files under tests/. */
export interface Capability {
  readonly operation: string;
  readonly status: "full" | "partial" | "absent";
  readonly provedBy: readonly string[];
  readonly note?: string;
}

export interface Emulator<State, Seed> {
  readonly name: string;
  readonly title: string;
  /** What it stands in for, as `/_backlot/providers` names it: `sms`, `policy`, `spot`, `email`. */
  readonly provides: string;
  /** Every host name the emulator stands in for; also the names the local CA may sign. */
  readonly hosts: readonly string[];
  readonly http: readonly HttpSurface<State>[];
  readonly listeners?: readonly Listener<State>[];
  /** DDL of the emulator's own tables. Columns named `arrival` or `wall_*` stay out of the digest. */
  readonly tables: string;
  /** SQLite page size in bytes; larger pages suit large blobs. Default 4096. */
  readonly pageSize?: number;
  /** Makes the store: the only place in an emulator with SQL. `holding` is for rows that are kept in memory first. */
  open(db: Database, holding: RowHolding): State;
  readonly seed: SeedForm<Seed> & { apply(seed: Seed, runtime: Runtime<State>): void };
  /** What happens when a timer of this kind falls due. Runs inside one write; use `timer.due` as the time. */
  readonly timers?: Readonly<Record<string, (runtime: Runtime<State>, timer: Timer) => void>>;
  readonly webhooks?: readonly WebhookScheme<State>[];
  /** Extra control routes, mounted under `/_backlot/<name>`; asked for with the first request to the control API. */
  control?(runtime: Runtime<State>): Promise<Hono<KernelEnv>>;
  readonly health: readonly HealthCheck<State>[];
  readonly real: { readonly service: string; readonly required: readonly RequiredSetting[]; readonly docs: string };
  /** The variables that point a client here, seeded credentials included. `address(name)` is a base URL or host:port. */
  environment(runtime: Runtime<State>, addresses: readonly Address[]): Readonly<Record<string, string>>;
  readonly capabilities: readonly Capability[];
  /** What the first requests would wait for, in steps of some milliseconds; only caches, so that no answer depends on it. */
  warm?(runtime: Runtime<State>): Iterable<void>;
  /** Placeholders in operations that stand for more than one segment of the path: `resource`. */
  readonly spanning?: readonly string[];
}

export type { Instant };
