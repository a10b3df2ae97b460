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
    const noted = alike([...partial, ...absent]).map(
      ({ operations, status, note }) =>
        `| ${operations.map((operation) => `\`${operation.replaceAll("|", "\\|")}\``).join(", ")} | ${status} | ${note.replaceAll("|", "\\|")} |`,
    );
    return [
      `**${title}**: ${full.length} operations in full, ${partial.length} in part, ${absent.length} declared absent.`,
      "",
      ...(noted.length > 0 ? ["| Operation | | What is missing |", "|---|---|---|", ...noted] : []),
    ].join("\n");
  });
  return parts.join("\n\n");
}

interface Row {
  readonly operations: readonly string[];
  readonly status: Capability["status"];
  readonly note: string;
}

/** One row for all that lacks the same, and one operation for all methods of a path. */
function alike(capabilities: readonly Capability[]): readonly Row[] {
  const rows = new Map<string, { status: Capability["status"]; note: string; methods: Map<string, string[]> }>();
  for (const { operation, status, note = "" } of capabilities) {
    const key = `${status} ${note === "" ? operation : note}`;
    const row = rows.get(key) ?? { status, note, methods: new Map<string, string[]>() };
    const [, method = "", path = operation] = /^((?:GET|POST|PUT|PATCH|DELETE)) (.*)$/.exec(operation) ?? [];
    row.methods.set(path, [...(row.methods.get(path) ?? []), ...(method === "" ? [] : [method])]);
    rows.set(key, row);
  }
  return [...rows.values()].map(({ status, note, methods }) => ({
    status,
    note,
    operations: [...methods].map(([path, names]) => (names.length === 0 ? path : `${names.join(", ")} ${path}`)),
  }));
}
