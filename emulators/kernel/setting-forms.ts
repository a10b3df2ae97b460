/**
 * How a setting may be written: from its text to the value, or to what is allowed instead. Plain functions, because settings
 * are read before anything else and a schema library would be a fifth of every start.
 */
export type Form<T> = (text: string) => Read<T>;
export type Read<T> = { readonly value: T } | { readonly allowed: string };

export type Written<F> = F extends Form<infer T> ? T : never;

export const text: Form<string> = (given) => ({ value: given.trim() });

/** Empty means absent. */
export const optionalText: Form<string | undefined> = (given) => ({ value: given.trim() || undefined });

/** Separated by commas. */
export const words: Form<readonly string[]> = (given) => ({
  value: given
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== ""),
});

export function choice<const T extends string>(...choices: readonly T[]): Form<T> {
  return (given) => {
    const found = choices.find((one) => one === given.trim());
    return found === undefined ? { allowed: `one of ${choices.join(", ")}` } : { value: found };
  };
}

/** A value of `form` that also passes a test. */
export function suchThat<T>(form: Form<T>, holds: (value: T) => boolean, allowed: string): Form<T> {
  return (given) => {
    const read = form(given);
    return "value" in read && !holds(read.value) ? { allowed } : read;
  };
}

export function atLeast(least: number, kind: "a number" | "a whole number"): Form<number> {
  const allowed = `${kind}, ${least} or more`;
  return (given) => {
    const value = given.trim() === "" ? Number.NaN : Number(given);
    const fits = kind === "a number" ? Number.isFinite(value) : Number.isSafeInteger(value);
    return fits && value >= least ? { value } : { allowed };
  };
}

/** Empty switches it off. */
export const port: Form<number | undefined> = (given) => {
  const digits = given.trim();
  if (digits === "") return { value: undefined };
  return /^\d{1,5}$/.test(digits) && Number(digits) <= 65_535
    ? { value: Number(digits) }
    : { allowed: "a port from 0 to 65535, 0 for a free one, empty to switch it off" };
};

const units: Readonly<Record<string, number>> = { "": 1, b: 1, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 };

/** A number of bytes, with or without a unit. */
export const bytes: Form<number> = (given) => {
  const [, digits, unit = ""] = /^(\d+)\s*(b|kib|mib|gib)?$/i.exec(given.trim()) ?? [];
  return digits === undefined
    ? { allowed: "a size such as 1048576, 512KiB or 64MiB" }
    : { value: Number(digits) * (units[unit.toLowerCase()] ?? 1) };
};

const yes = ["true", "1", "yes", "on"];
const no = ["false", "0", "no", "off", ""];

export const flag: Form<boolean> = (given) => {
  const word = given.trim().toLowerCase();
  if (yes.includes(word)) return { value: true };
  return no.includes(word) ? { value: false } : { allowed: "true or false" };
};
