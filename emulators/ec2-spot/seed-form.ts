/** The form of fixtures/seeds/ec2-spot.yaml. What is not given is derived from the seed text. */
import * as z from "zod";
import { regionNamed, regions } from "./domain/regions.ts";

const accountId = z.string().regex(/^\d{12}$/, "an account id of 12 digits, in quotes");
const iamName = z.string().regex(/^[\w+=,.@-]{1,64}$/, "an IAM name");
const regionName = z.enum(regions.map((region) => region.name));

const User = z.strictObject({
  name: iamName,
  accessKeyId: z
    .string()
    .regex(/^AKIA[A-Z2-7]{16}$/)
    .optional(),
  secretAccessKey: z
    .string()
    .regex(/^[A-Za-z0-9+/]{40}$/)
    .optional(),
});

const Role = z.strictObject({
  name: iamName,
  externalId: z.string().min(2).max(1224).optional(),
  /** Account ids, ARNs of users and roles, or `*`. */
  principals: z
    .array(z.string().regex(/^(\*|\d{12}|arn:aws:iam::\d{12}:(root|user\/.+|role\/.+|oidc-provider\/.+))$/))
    .min(1),
  maxSessionSeconds: z.int().min(3600).max(43_200).default(3600),
});

const Account = z.strictObject({
  id: accountId,
  /** `shuffled`: zone letters of its own in the regions opened before 2013. */
  zones: z.enum(["uniform", "shuffled"]).default("uniform"),
  optedIn: z.array(regionName).default([]),
  /** Most vCPUs that may run in one region, of all instance families together; absent: no limit. */
  quotas: z
    .strictObject({ spotVcpus: z.int().min(0).optional(), onDemandVcpus: z.int().min(0).optional() })
    .default({}),
  users: z.array(User).min(1),
  roles: z.array(Role).default([]),
});

export const Seed = z.strictObject({
  /** `strict` checks every signature as AWS does; `lenient` only reads whose key it is. */
  signatures: z.enum(["lenient", "strict"]).default("lenient"),
  /** `natural`: spot instances are interrupted as often as the Spot Advisor says. `none`: only when asked for. */
  interruptions: z.enum(["natural", "none"]).default("natural"),
  region: regionName
    .refine((name) => regionNamed(name)?.optIn === false, "a region that needs no opt-in")
    .default("us-east-1"),
  accounts: z.array(Account).min(1),
});
export type Seed = z.infer<typeof Seed>;
