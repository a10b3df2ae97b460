/** The only place that names all emulators. Each is imported when it is started. */
import type { Emulator } from "../kernel/emulator.ts";
import type { SeedForm } from "../kernel/seed.ts";
import { type RunningEmulator, type StartOptions, startEmulator } from "../kernel/start.ts";

export interface Registered {
  readonly name: string;
  readonly title: string;
  /** Domains the local authority may sign for it; known before the emulator is loaded, so that one CA serves any choice. */
  readonly domains: readonly string[];
  /**
   * How to point a client at it, one line; `{http}`, `{https}` and the like are filled in with its addresses. What is in
   * square brackets is left out unless the addresses in it are open.
   */
  readonly pointing: string;
  start(options: StartOptions): Promise<RunningEmulator>;
  /** What it declares, started or not. */
  describe(): Promise<Described>;
}

export interface Described {
  readonly hosts: readonly string[];
  /** Names of its HTTP surfaces; the first serves `hosts`. */
  readonly surfaces: readonly string[];
  readonly real: Emulator<unknown, unknown>["real"];
  readonly seed: SeedForm<unknown>;
}

export const registry: readonly Registered[] = [
  {
    name: "twilio",
    title: "Twilio",
    domains: ["twilio.com"],
    pointing: "send what goes to https://api.twilio.com to {api}",
    start: async (options) => startEmulator((await import("../twilio/index.ts")).twilio, options),
    describe: async () => described((await import("../twilio/index.ts")).twilio),
  },
  {
    name: "azure-policyinsights",
    title: "Azure Policy Insights",
    domains: [
      "management.azure.com",
      "management.core.windows.net",
      "login.microsoftonline.com",
      "login.windows.net",
      "login.microsoft.com",
      "sts.windows.net",
      "graph.microsoft.com",
    ],
    pointing: "endpoint and authorityHost {arm}, NODE_EXTRA_CA_CERTS={ca}",
    start: async (options) =>
      startEmulator((await import("../azure-policyinsights/index.ts")).azurePolicyInsights, options),
    describe: async () => described((await import("../azure-policyinsights/index.ts")).azurePolicyInsights),
  },
  {
    name: "ec2-spot",
    title: "EC2 spot",
    domains: ["amazonaws.com"],
    pointing: "AWS_ENDPOINT_URL={ec2}",
    start: async (options) => startEmulator((await import("../ec2-spot/index.ts")).ec2Spot, options),
    describe: async () => described((await import("../ec2-spot/index.ts")).ec2Spot),
  },
  {
    name: "smtp",
    title: "SMTP",
    domains: [],
    pointing:
      "SMTP host and port {smtp}[, with STARTTLS {smtp-starttls}][, with TLS {smtps}], inbox API {mailbox}[, MailHog's {mailhog}][, MailDev's {maildev}][, POP3 {pop3}]",
    start: async (options) => startEmulator((await import("../smtp/index.ts")).smtp, options),
    describe: async () => described((await import("../smtp/index.ts")).smtp),
  },
];

export const emulatorNames: readonly string[] = registry.map(({ name }) => name);
export const domains: readonly string[] = registry.flatMap((entry) => entry.domains);

function described<State, Seed>({ hosts, http, real, seed }: Emulator<State, Seed>): Described {
  return { hosts, surfaces: http.map(({ name }) => name), real, seed };
}
