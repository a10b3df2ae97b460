/** How much of Twilio's own specification is served, by product. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { capabilities } from "../../emulators/twilio/capabilities.ts";

const file = join(packageRoot(), "fixtures/parity/twilio/operations.json");

/** Every operation that Twilio specifies, by the product's address: `GET /v2/Services/{Sid}`. */
export function specifiedOperations(): ReadonlyMap<string, readonly string[]> {
  const { operations } = JSON.parse(readFileSync(file, "utf8")) as { operations: Record<string, readonly string[]> };
  return new Map(Object.entries(operations));
}

/** An operation without the names of its path parameters, which capabilities and specification choose differently. */
export function shapeOf(base: string, operation: string): string {
  return `${operation.replace(" ", ` ${base}`)}`.replace("https://api.twilio.com", "").replace(/\{[^}]+\}/g, "{}");
}

export const declared = new Map(
  capabilities.map(({ operation, status }) => [operation.replace(/\{[^}]+\}/g, "{}"), status] as const),
);

export function twilioCoverageTable(): string {
  const rows = [...specifiedOperations()].map(([base, operations]) => {
    const of = (status: string) => operations.filter((one) => declared.get(shapeOf(base, one)) === status).length;
    return { host: base.slice(8), specified: operations.length, full: of("full"), partial: of("partial") };
  });
  const [served, rest] = [
    rows.filter((row) => row.full + row.partial > 0),
    rows.filter((row) => row.full + row.partial === 0),
  ];
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const line = (host: string, specified: number, full: number, partial: number) =>
    `| ${host} | ${specified} | ${full} | ${partial} | ${specified - full - partial} |`;
  return [
    "| Twilio's specification | operations | in full | in part | answered 404, code 20404 |",
    "|---|---|---|---|---|",
    ...served.map(({ host, specified, full, partial }) => line(host, specified, full, partial)),
    line(`${rest.length} other hosts`, sum(rest.map(({ specified }) => specified)), 0, 0),
  ].join("\n");
}
