/** The form of fixtures/seeds/azure-policyinsights.yaml. */
import * as z from "zod";
import { roles } from "./domain/roles.ts";

const guid = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "a GUID in lower case")
  .describe("Derived from the seed when not given");

export const Seed = z.strictObject({
  tenant: z
    .strictObject({
      id: guid.optional(),
      name: z.string().min(1).default("Backlot Studios"),
      domain: z
        .string()
        .regex(/^[a-z0-9.-]+\.[a-z]+$/, "a domain name")
        .default("backlot.onmicrosoft.com"),
    })
    .prefault({}),
  /** What may sign in with a client secret. */
  applications: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        clientId: guid.optional(),
        clientSecret: z.string().min(1).optional(),
        /** Over everything; None may sign in and see nothing. */
        role: z.enum(roles).default("Owner"),
        /** PEM texts; without any, an assertion signed by whatever certificate is taken. */
        certificates: z.array(z.string().startsWith("-----BEGIN CERTIFICATE-----")).default([]),
      }),
    )
    .min(1),
  /** Managed identities; the first is the machine's own, which is used when none is named. */
  identities: z
    .array(z.strictObject({ name: z.string().min(1), clientId: guid.optional(), role: z.enum(roles).default("Owner") }))
    .default([{ name: "backlot-machine", role: "Owner" }]),
  /** tiny: 1 subscription x 3 groups x 10 resources; default: 3 x 20 x 55; large: 10 x 50 x 200; million: 19 x 50 x 200. */
  size: z.enum(["tiny", "default", "large", "million"]).default("default"),
  /**
   * As Azure where clients usually expect lenience: pages follow by POST only, a built-in definition has no states under
   * a subscription's scope, `$top` does not shorten a summary, and a triggered evaluation says nothing about when to ask.
   */
  strict: z.boolean().default(false),
  /** Event Grid signs nothing; these deliveries also carry the signature of Standard Webhooks. */
  eventSignatures: z.boolean().default(true),
  /** In order, as many as the size has; beyond the list they are called "Subscription 4" and so on. */
  subscriptions: z.array(z.strictObject({ name: z.string().min(1), id: guid.optional() })).default([]),
});
export type Seed = z.infer<typeof Seed>;
