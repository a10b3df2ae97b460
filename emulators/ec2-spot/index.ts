/** The EC2 spot emulator: spot prices, the catalogue they refer to, STS sessions, instance metadata. */
import { Hono } from "hono";
import type { Emulator, KernelEnv, Site } from "../kernel/emulator.ts";
import { dispatch } from "./api/dispatch.ts";
import { experimentRoutes } from "./api/experiments.ts";
import { metadataErrors, metadataRoutes } from "./api/metadata.ts";
import { offerFile, spotAdvisor } from "./api/price-documents.ts";
import { capabilities } from "./capabilities.ts";
import { environment } from "./environment.ts";
import { awsErrors } from "./error-answers.ts";
import { health } from "./health.ts";
import { timers } from "./life/timers.ts";
import { real } from "./real.ts";
import { factsOf } from "./request-facts.ts";
import { createSeals } from "./seals.ts";
import { applySeed } from "./seed.ts";
import type { Seed } from "./seed-form.ts";
import { openStore, type SpotStore } from "./store.ts";
import { tables } from "./tables.ts";
import { warm } from "./warm.ts";

const hosts = [
  "ec2.*.amazonaws.com",
  "ec2.amazonaws.com",
  "sts.amazonaws.com",
  "sts.*.amazonaws.com",
  "api.pricing.*.amazonaws.com",
  "fis.*.amazonaws.com",
  "spot-bid-advisor.s3.amazonaws.com",
];
const metadataHosts = ["169.254.169.254", "instance-data.ec2.internal"];

export const ec2Spot: Emulator<SpotStore, Seed> = {
  name: "ec2-spot",
  title: "EC2 spot",
  provides: "spot",
  hosts,
  http: [
    {
      name: "ec2",
      ports: [{ setting: "ec2Port", tls: false }],
      forPeople: true,
      sites(runtime): readonly Site[] {
        const seals = createSeals(runtime.ids);
        const routes = new Hono<KernelEnv>();
        routes.on(["GET", "POST"], "/", (c) => dispatch(runtime, seals, c.env.exchange));
        experimentRoutes(routes, runtime, seals);
        for (const path of ["/spot-advisor-data.json", "/spot-bid-advisor/spot-advisor-data.json"])
          routes.get(path, (c) => spotAdvisor(runtime, c.env.exchange));
        routes.get("/offers/*", (c) => offerFile(runtime, c.env.exchange));
        return [{ hosts, routes, errors: awsErrors, facts: factsOf }];
      },
    },
    {
      name: "imds",
      ports: [{ setting: "imdsPort", tls: false }],
      sites: (runtime): readonly Site[] => [
        { hosts: metadataHosts, routes: metadataRoutes(runtime), errors: metadataErrors },
      ],
      more(runtime, listen) {
        runtime.state.metadataPorts.attach(runtime.settings.imdsPorts, listen, (cause) =>
          runtime.log.warn({ cause: String(cause) }, "a metadata port could not be opened"),
        );
      },
    },
  ],
  tables,
  open: openStore,
  seed: { file: "ec2-spot.yaml", form: async () => (await import("./seed-form.ts")).Seed, apply: applySeed },
  timers,
  control: async (runtime) => (await import("./api/control.ts")).controlRoutes(runtime),
  health,
  real,
  environment,
  capabilities,
  warm,
};
