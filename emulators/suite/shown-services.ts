/**
 * What the suite answers about its services, for the server that writes it and the console that reads it. Without imports:
 * the console is compiled without Node's types.
 */

/** One of `/_backlot/services`. */
export interface Service {
  readonly name: string;
  readonly title: string;
  readonly addresses: readonly {
    readonly name: string;
    readonly scheme: "http" | "https" | "tcp";
    readonly host: string;
    readonly port: number;
  }[];
}

/** `/_backlot/health` of the suite. */
export interface HealthView {
  readonly status: string;
  readonly mode: string;
  readonly checks: Readonly<Record<string, ServiceCheck>>;
  readonly configuration_hints: readonly string[];
}

export interface Check {
  readonly status: string;
  readonly latency_ms: number;
  readonly error?: string;
  readonly hint?: string;
  readonly last_run?: string;
  readonly successes?: number;
  readonly failures?: number;
  readonly avg_ms?: number;
  readonly uptime_24h?: number;
}

interface ServiceCheck extends Check {
  /** The parts of the service; of one that does not answer, nothing is known. */
  readonly checks?: Readonly<Record<string, Check>>;
}
