/** Checks a JSON value against the part of OpenAPI 3.0 that providers' response schemas use. */

export interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly nullable?: boolean;
  readonly pattern?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

const formats: Readonly<Record<string, RegExp>> = {
  "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  "date-time-rfc-2822":
    /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d \+0000$/,
  date: /^\d{4}-\d\d-\d\d$/,
  uri: /^(https?:\/\/|\/)\S+$/,
};

/** What is wrong, each with its path. Every declared property has to be there, and nothing else. */
export function violations(value: unknown, schema: Schema, path = "$"): string[] {
  // Every member of these APIs may be null, whether or not the schema says so; a list or envelope may not.
  if (value === null) return path === "$" ? ["$ is null"] : [];
  if (schema.enum && !schema.enum.includes(value)) return [`${path}: ${JSON.stringify(value)} is not in its enum`];
  switch (schema.type) {
    case "object":
      return objectViolations(value, schema, path);
    case "array":
      if (!Array.isArray(value)) return [`${path} is no array`];
      return value.flatMap((item, n) => (schema.items ? violations(item, schema.items, `${path}[${n}]`) : []));
    case "string": {
      if (typeof value !== "string") return [`${path}: ${typeof value} is no string`];
      // Unset URLs are empty strings.
      const form = value === "" ? undefined : formats[schema.format ?? ""];
      if (form && !form.test(value)) return [`${path}: ${value} is no ${schema.format}`];
      return schema.pattern && value !== "" && !new RegExp(schema.pattern).test(value)
        ? [`${path}: ${value} does not match ${schema.pattern}`]
        : [];
    }
    case "integer":
      return Number.isInteger(value) ? [] : [`${path}: ${JSON.stringify(value)} is no integer`];
    case "number":
      // Coordinates and prices are typed as numbers and sent as text.
      return typeof value === "number" || (typeof value === "string" && !Number.isNaN(Number(value)))
        ? []
        : [`${path}: ${JSON.stringify(value)} is no number`];
    case "boolean":
      return typeof value === "boolean" ? [] : [`${path}: ${JSON.stringify(value)} is no boolean`];
    default:
      return [];
  }
}

function objectViolations(value: unknown, { properties, required }: Schema, path: string): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${path} is no object`];
  if (!properties) return [];
  const members = new Map<string, unknown>(Object.entries(value));
  const missing = Object.keys(properties)
    .concat(required ?? [])
    .filter((name) => !members.has(name));
  const found = [...new Set(missing)].map((name) => `${path}.${name} is missing`);
  for (const [name, member] of members) {
    const schema = properties[name];
    if (schema) found.push(...violations(member, schema, `${path}.${name}`));
    else found.push(`${path}.${name} is not declared`);
  }
  return found;
}
