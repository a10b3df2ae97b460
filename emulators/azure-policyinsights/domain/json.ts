/** Looking into JSON from clients without trusting its shape. Names of members are found whatever their case, as in ARM. */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json } | undefined;

export function isRecord(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function record(value: Json): { readonly [name: string]: Json } {
  return isRecord(value) ? value : {};
}

export function list(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

export function member(value: Json, name: string): Json {
  if (!isRecord(value)) return undefined;
  if (Object.hasOwn(value, name)) return value[name];
  const wanted = name.toLowerCase();
  const found = Object.keys(value).find((each) => each.toLowerCase() === wanted);
  return found === undefined ? undefined : value[found];
}

/** The member as text; "" when it is no text. */
export function text(value: Json, name: string): string {
  const found = member(value, name);
  return typeof found === "string" ? found : "";
}
