/**
 * The parameters of a resource, declared once: what a create or update may carry under Twilio's own names, how each is read,
 * and what it is when it was never sent. Names are case-sensitive.
 */
import type { Problem } from "../errors.ts";

export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

export interface Parameter<T> {
  read(name: string, text: string, all: readonly string[]): Reading<T>;
  readonly initial: T;
  readonly required?: boolean;
}

export type Parameters<Data> = { readonly [Name in keyof Data]: Parameter<Data[Name]> };

const good = <T>(value: T): Reading<T> => ({ ok: true, value });
const bad = (name: string, text: string): { ok: false; problem: Problem } => ({
  ok: false,
  problem: { name: "invalidParameter", values: [name, text] },
});

/** Free text; `initial` also says whether an unset one shows as "" or as null. */
export function text<T extends string | null>(initial: T, most = 4_000): Parameter<string | T> {
  return { initial, read: (name, value) => (value.length <= most ? good(value) : bad(name, value)) };
}

export function matching<T extends string | null>(pattern: RegExp, initial: T): Parameter<string | T> {
  return { initial, read: (name, value) => (pattern.test(value) ? good(value) : bad(name, value)) };
}

/** A sid of this prefix, or empty to unset it: it then shows as it did before it was first set. */
export function sid<T extends string | null>(prefix: string, initial: T): Parameter<string | T> {
  const form = new RegExp(`^${prefix}[0-9a-fA-F]{32}$`);
  return {
    initial,
    read: (name, value) => (value === "" ? good(initial) : form.test(value) ? good(value) : bad(name, value)),
  };
}

const address = /^https?:\/\/[^\s/?#]+/i;

export function url<T extends string | null>(initial: T): Parameter<string | T> {
  return {
    initial,
    read: (name, value) =>
      value === "" || (address.test(value) && URL.canParse(value))
        ? good(value)
        : { ok: false, problem: { name: "invalidUrl", values: [name, value] } },
  };
}

export function method<T extends string | null>(initial: T): Parameter<string | T> {
  return {
    initial,
    read: (name, value) =>
      value === "GET" || value === "POST"
        ? good(value)
        : { ok: false, problem: { name: "invalidMethod", values: [name, value] } },
  };
}

export function flag<T extends boolean | null>(initial: T): Parameter<boolean | T> {
  return {
    initial,
    read: (name, value) => (/^(true|false)$/i.test(value) ? good(/^true$/i.test(value)) : bad(name, value)),
  };
}

export function whole<T extends number | null>(initial: T, least: number, most: number): Parameter<number | T> {
  return {
    initial,
    read: (name, value) =>
      /^-?\d{1,15}$/.test(value) && Number(value) >= least && Number(value) <= most
        ? good(Number(value))
        : bad(name, value),
  };
}

export function choice<const Word extends string, T extends Word | null>(
  words: readonly Word[],
  initial: T,
): Parameter<Word | T> {
  return {
    initial,
    read(name, value) {
      const word = words.find((candidate) => candidate === value);
      return word === undefined ? bad(name, value) : good(word);
    },
  };
}

/** A repeatable parameter, of these words alone when they are named; an empty list when it was never sent. */
export function list(words?: readonly string[]): Parameter<readonly string[]> {
  return {
    initial: [],
    read(name, _value, all) {
      const sent = all.filter((one) => one !== "");
      const odd = words && sent.find((one) => !words.includes(one));
      return odd === undefined ? good(sent) : bad(name, odd);
    },
  };
}

/** JSON kept as the text it is, as Conversations' attributes are. */
export function jsonText(initial: string): Parameter<string> {
  return {
    initial,
    read(name, value) {
      try {
        JSON.parse(value);
        return good(value);
      } catch {
        return bad(name, value);
      }
    },
  };
}

export function required<T>(parameter: Parameter<T>): Parameter<T> {
  return { ...parameter, required: true };
}

/**
 * Reads a form by its declaration. `current` is what an update starts from; without it what is not sent is initial, and what
 * is required and not sent is the first problem that is answered.
 */
export function readParameters<Data extends object>(
  declared: Parameters<Data>,
  form: URLSearchParams,
  current?: Data,
): Reading<Data> {
  const data: Record<string, unknown> = {};
  for (const [name, parameter] of Object.entries(declared) as [keyof Data & string, Parameter<unknown>][]) {
    const sent = form.get(name);
    if (sent === null || (sent === "" && parameter.required)) {
      if (parameter.required && !current) return { ok: false, problem: { name: "missingParameter", values: [name] } };
      data[name] = current ? current[name] : parameter.initial;
      continue;
    }
    const reading = parameter.read(name, sent, form.getAll(name));
    if (!reading.ok) return reading;
    data[name] = reading.value;
  }
  return { ok: true, value: data as Data };
}

/** What a resource carries that was created without a parameter. */
export function initialOf<Data extends object>(declared: Parameters<Data>): Data {
  const entries = Object.entries<Parameter<unknown>>(declared as Record<string, Parameter<unknown>>);
  return Object.fromEntries(entries.map(([name, { initial }]) => [name, initial])) as Data;
}
