/** Records that are put together from kept pieces, against the same members written out one by one. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { builtIns } from "../../emulators/azure-policyinsights/domain/built-ins.ts";
import { complianceStates } from "../../emulators/azure-policyinsights/domain/compliance.ts";
import { createEstate } from "../../emulators/azure-policyinsights/domain/estate.ts";
import { eventFields } from "../../emulators/azure-policyinsights/domain/event-fields.ts";
import { codesOf, type Field, fields, resourceId } from "../../emulators/azure-policyinsights/domain/fields.ts";
import type { PageRecord } from "../../emulators/azure-policyinsights/domain/page.ts";
import { instantOf } from "../../emulators/azure-policyinsights/domain/scans.ts";
import { createMemory } from "../../emulators/azure-policyinsights/wire/bytes.ts";
import { stateWriter } from "../../emulators/azure-policyinsights/wire/policy-state.ts";

const subscription = "bbbbbbbb-0000-4000-8000-000000000000";
const group = `/subscriptions/${subscription}/resourcegroups/größe`;
const made = (id: string, type: string, key: string) => ({ id, group, type, key, location: "norwayeast" });
const estate = createEstate(
  {
    seed: "bytes",
    tenantId: "aaaaaaaa-0000-4000-8000-000000000000",
    subscriptions: [
      { id: subscription, name: "One" },
      { id: "bbbbbbbb-0000-4000-8000-000000000001", name: "Two" },
    ],
    groupsPerSubscription: 3,
    resourcesPerGroup: 60,
  },
  {
    groups: [{ subscription, name: "Größe", location: "norwayeast" }],
    resources: [
      made(
        `${group}/providers/microsoft.storage/storageaccounts/straße"`,
        "Microsoft.Storage/storageAccounts",
        "storage",
      ),
      made(`${group}/providers/contoso.own/things/日本`, "Contoso.Own/things", "contoso.own/things"),
    ],
    assignments: builtIns.slice(0, 3).map((of, position) => ({
      name: `made-${position}`,
      scope: `/subscriptions/${subscription}`,
      of,
      parameters: JSON.stringify({ tag: { value: `"${"π".repeat(position)}"\n` } }),
      overrides: undefined,
      enforced: true,
      notScopes: [],
    })),
    removed: new Set(),
  },
);
const { rows } = estate;
const dayMs = 86_400_000;

function timestamp({ row, scan, instant }: PageRecord): string {
  const ticks = scan
    ? BigInt(scan.start) * 10_000n + BigInt(rows.offset[row] ?? 0) * 8n
    : BigInt(Math.floor(instant)) * 10_000n;
  const whole = new Date(Number(ticks / 10_000n)).toISOString().slice(0, -1);
  return `${whole}${String(ticks % 10_000n).padStart(4, "0")}Z`;
}

function memberOf(field: Field, record: PageRecord): unknown {
  const resource = rows.resource[record.row] ?? 0;
  switch (field.kind) {
    case "date":
      return timestamp(record);
    case "boolean":
      return field.flag(record.compliance);
    case "list":
      return field.words(estate, rows.policy[record.row] ?? 0);
    case "string":
      switch (field.level) {
        case "resource":
          return resourceId(estate, resource);
        case "policy":
          return field.text(estate, rows.policy[record.row] ?? 0);
        case "compliance":
          return field.text(estate, record.compliance);
        default:
          return field.text(estate, codesOf(estate, field.level)?.[resource] ?? 0);
      }
  }
}

const ofClients = Array.from(rows.resource.keys()).filter((row) => estate.named.has(rows.resource[row] ?? 0));

const records = fc.record({
  row: fc.oneof(fc.nat(rows.count - 1), fc.constantFrom(...ofClients)),
  compliance: fc.nat(complianceStates.length - 1),
  scanned: fc.boolean(),
  start: fc.integer({ min: Date.parse("2025-01-14T22:30:00Z"), max: Date.parse("2025-01-16T03:00:00Z") }),
});
const selections = (members: readonly Field[]) =>
  fc.option(
    fc.subarray(
      members.map(({ name }) => name),
      { minLength: 1 },
    ),
    { nil: undefined },
  );

test.each([
  ["states", fields],
  ["events", eventFields],
])("%s as bytes say what their members say", (_, members) => {
  const whole = stateWriter(estate, undefined, members);
  fc.assert(
    fc.property(fc.array(records, { minLength: 1, maxLength: 40 }), selections(members), (drawn, select) => {
      const write = select ? stateWriter(estate, select, members) : whole;
      const chosen = select ? members.filter(({ name }) => select.includes(name)) : members;
      for (const { row, compliance, scanned, start } of drawn) {
        const scan = scanned
          ? { subscription: 0, day: Math.floor(start / dayMs), start, after: -1, until: 4_200_000_000 }
          : undefined;
        const instant = scan ? instantOf(start, rows.offset[row] ?? 0) : start;
        const record: PageRecord = { row, compliance, scan, instant };
        const out = createMemory().take();
        write(out, record);
        const expected = Object.fromEntries(chosen.map((field) => [field.name, memberOf(field, record)]));
        expect(out.written().toString()).toBe(`,${JSON.stringify(expected).slice(1, -1)}`);
      }
    }),
    { numRuns: 40 },
  );
});
