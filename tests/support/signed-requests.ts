/** Webhooks as applications get them: any address, any form - repeated names, empty values, every script. */
import fc from "fast-check";

export interface Signable {
  readonly url: string;
  readonly form: Readonly<Record<string, string | readonly string[]>>;
}

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const name = fc.string({ unit: fc.constantFrom(..."ABab_19"), minLength: 1, maxLength: 5 });
const url = fc
  .tuple(
    fc.constantFrom("http", "https"),
    fc.constantFrom("example.com", "127.0.0.1", "my-app.test"),
    fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
    fc.webPath(),
    fc.webQueryParameters(),
  )
  .map(
    ([scheme, host, port, path, query]) =>
      `${scheme}://${host}${port ? `:${port}` : ""}${path || "/"}${query ? `?${query}` : ""}`,
  )
  .filter((one) => URL.canParse(one));

export const signable: fc.Arbitrary<Signable> = fc.record({
  url,
  form: fc.dictionary(name, fc.oneof(text, fc.array(text, { minLength: 2, maxLength: 3 }))),
});

export function pairsOf(form: Signable["form"]): [string, string][] {
  return Object.entries(form).flatMap(([key, value]) => [value].flat().map((one): [string, string] => [key, one]));
}
