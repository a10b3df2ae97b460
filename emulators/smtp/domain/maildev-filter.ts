export type DottedFilter = (email: unknown) => boolean;

/**
 * MailDev's filter: every field asked for, by its path with dots, is exactly that text; in a list one element is enough
 * (`from.address=ann@example.com`).
 */
export function dottedFilter(fields: readonly (readonly [path: string, value: string])[]): DottedFilter {
  const asked = fields.map(([path, value]) => [path.split("."), value] as const);
  return (email) => asked.every(([path, value]) => valuesAt(email, path).some((found) => found === value));
}

function valuesAt(value: unknown, path: readonly string[]): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((element) => valuesAt(element, path));
  const [name, ...rest] = path;
  if (name === undefined) return typeof value === "object" ? [] : [String(value)];
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return [];
  return valuesAt(Object.entries(value).find(([key]) => key === name)?.[1], rest);
}
