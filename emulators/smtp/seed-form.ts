/** The form of fixtures/seeds/smtp.yaml. */
import * as z from "zod";
import { defaultProfile } from "./domain/message.ts";

const address = z.string().regex(/^[^\s<>@]+@[^\s<>@]+$/, "an address such as ann@example.com");

/** Sample mail; capture servers start empty, so a suite that wants some says so. */
const SeedMessage = z.strictObject({
  /** Empty for the null sender. */
  from: z.union([address, z.literal("")]),
  to: z.array(address).min(1),
  helo: z.string().min(1).default("localhost"),
  receivedAt: z.iso.datetime().default("2025-01-15T12:00:00Z"),
  /** The whole message; bare line feeds become CRLF, since YAML has no others. */
  raw: z.string(),
});

export const Seed = z.strictObject({
  /** Name in the greeting and in the answer to EHLO. */
  serverName: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/, "a host name")
    .max(253)
    .default(defaultProfile.name),
  /** `any`: with whatever credentials or none; `required`: some; `users`: one of those listed. */
  auth: z.enum(["any", "required", "users"]).default("any"),
  maxRecipients: z.number().int().min(1).default(defaultProfile.maxRecipients),
  /** Most messages kept: then the oldest make room, and how many is counted. 0 keeps all. */
  retention: z.number().int().min(0).default(defaultProfile.retention),
  /** Domains whose recipients may say what happens to their mail (`bounce+550@...`); `*.` stands for any name below. */
  magicDomains: z
    .array(z.string().regex(/^(\*\.)?[a-z0-9.-]+$/, "a domain, or *. and a domain"))
    .default([...defaultProfile.magicDomains]),
  users: z.array(z.strictObject({ username: z.string().min(1), password: z.string().min(1).optional() })).default([]),
  messages: z.array(SeedMessage).default([]),
});
export type Seed = z.infer<typeof Seed>;
