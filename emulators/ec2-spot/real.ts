/** What real mode needs: the real EC2, STS and instance metadata. */
import type { RequiredSetting } from "../kernel/emulator.ts";
import type { Refusal } from "../kernel/mode.ts";

const required: readonly RequiredSetting[] = [
  { env: "AWS_ACCESS_KEY_ID", about: "Access key of an IAM user or session", example: "AKIA................" },
  { env: "AWS_SECRET_ACCESS_KEY", about: "Its secret", example: "........................................" },
  { env: "AWS_REGION", about: "Region to ask", example: "us-east-1" },
];

export const real = { service: "Amazon EC2 and STS", required, docs: "README.md#real-mode" };

/** For clients that know no error format. */
export function plainRefusal(refusal: Refusal): string {
  return `${refusal.message}\n${refusal.hint}\nRequired: ${refusal.required.join(", ")}\nMissing: ${refusal.missing.join(", ") || "none"}\nDocs: ${refusal.docs}\n${refusal.example}\n`;
}
