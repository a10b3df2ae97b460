/** What experiments and their templates are made with. */
import * as z from "zod";

const Tags = z.record(z.string().min(1).max(128), z.string().max(256)).default({});
const Target = z.object({
  resourceType: z.string(),
  resourceArns: z.array(z.string()).max(5).optional(),
  resourceTags: z.record(z.string(), z.string()).optional(),
  filters: z.array(z.object({ path: z.string(), values: z.array(z.string()) })).optional(),
  selectionMode: z.string().regex(/^(ALL|COUNT\(\d+\)|PERCENT\(\d+\))$/, "must be ALL, COUNT(n) or PERCENT(n)"),
});
const Action = z.object({
  actionId: z.string(),
  description: z.string().max(512).optional(),
  parameters: z.record(z.string(), z.string()).optional(),
  targets: z.record(z.string(), z.string()).optional(),
  startAfter: z.array(z.string()).optional(),
});
export const NewTemplate = z.object({
  clientToken: z.string().min(1).max(1024),
  description: z.string().max(512),
  roleArn: z.string().min(20).max(2048),
  targets: z.record(z.string(), Target).default({}),
  actions: z.record(z.string(), Action),
  stopConditions: z.array(z.object({ source: z.string(), value: z.string().optional() })).min(1),
  tags: Tags,
});
export const NewExperiment = z.object({
  clientToken: z.string().min(1).max(1024),
  experimentTemplateId: z.string().max(64),
  tags: Tags,
});
