/** What is emulated and what is not, from each emulator's own declaration. */
import { azurePolicyInsights } from "../../emulators/azure-policyinsights/index.ts";
import { ec2Spot } from "../../emulators/ec2-spot/index.ts";
import type { Capability } from "../../emulators/kernel/emulator.ts";
import { smtp } from "../../emulators/smtp/index.ts";
import { twilio } from "../../emulators/twilio/index.ts";

const emulators: readonly { readonly title: string; readonly capabilities: readonly Capability[] }[] = [
  twilio,
  azurePolicyInsights,
  ec2Spot,
  smtp,
];

export function capabilitiesTable(): string {
  const parts = emulators.map(({ title, capabilities }) => {
    const of = (status: Capability["status"]) => capabilities.filter((capability) => capability.status === status);
    const [full, partial, absent] = [of("full"), of("partial"), of("absent")];
    const noted = [...partial, ...absent].map(
      ({ operation, status, note }) =>
        `| \`${operation.replaceAll("|", "\\|")}\` | ${status} | ${(note ?? "").replaceAll("|", "\\|")} |`,
    );
    return [
      `**${title}**: ${full.length} operations in full, ${partial.length} in part, ${absent.length} declared absent.`,
      "",
      ...(noted.length > 0 ? ["| Operation | | What is missing |", "|---|---|---|", ...noted] : []),
    ].join("\n");
  });
  return parts.join("\n\n");
}
