/** What a Content template is made of. As Twilio does, members that mean nothing here are passed over. */
import * as z from "zod";

export const ContentInput = z.object({
  friendly_name: z.string().max(64).nullable().optional(),
  language: z.string().min(2),
  variables: z.record(z.string(), z.string()).default({}),
  types: z.record(z.string().regex(/^(twilio|whatsapp)\//), z.record(z.string(), z.unknown())),
});
