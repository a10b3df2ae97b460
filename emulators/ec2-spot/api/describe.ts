/** What every Describe operation does: filters with tags, and pages with a token that holds no state. */
import type { Tag } from "../domain/resources.ts";
import { matchesAny } from "../domain/wildcard.ts";
import { reject } from "../errors.ts";
import type { Filter } from "../query-protocol.ts";
import { element } from "../wire/xml.ts";
import { answerEc2, type Call } from "./operation.ts";

/** Values that a filter of each name compares with. */
export type Facts<T> = Readonly<Record<string, (item: T) => readonly string[]>>;

export function sift<T extends { readonly tags: readonly Tag[] }>(
  items: readonly T[],
  filters: readonly Filter[],
  facts: Facts<T>,
): readonly T[] {
  for (const { name } of filters)
    if (!name.startsWith("tag:") && name !== "tag-key" && !Object.hasOwn(facts, name)) reject("badFilter", name);
  if (filters.length === 0) return items;
  return items.filter((item) =>
    filters.every(({ name, values }) => valuesOf(item, name, facts).some((value) => matchesAny(values, value))),
  );
}

function valuesOf<T extends { readonly tags: readonly Tag[] }>(
  item: T,
  name: string,
  facts: Facts<T>,
): readonly string[] {
  if (name === "tag-key") return item.tags.map(({ key }) => key);
  if (name.startsWith("tag:")) {
    const wanted = name.slice(4);
    return item.tags.flatMap(({ key, value }) => (key === wanted ? [value] : []));
  }
  return facts[name]?.(item) ?? [];
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Sealed; undefined on the last page. */
  readonly token: string | undefined;
}

/** `ids` given and MaxResults given exclude each other where AWS says so. */
export function pageOf<T extends { readonly id: string }>(
  call: Call,
  items: readonly T[],
  bounds: {
    readonly purpose: string;
    readonly ids?: readonly string[];
    readonly least?: number;
    readonly most?: number;
    readonly usual?: number;
  },
): Page<T> {
  const { parameters, seals } = call;
  const { purpose, ids = [], least = 5, most = 1000 } = bounds;
  const asked = parameters.integer("MaxResults");
  if (asked !== undefined && ids.length > 0)
    reject("combination", "The parameter MaxResults cannot be used with a list of ids");
  if (asked !== undefined && asked < least) reject("belowLeast", String(asked), String(least));
  if (asked !== undefined && asked > most) reject("aboveMost", String(asked), String(most));
  const given = parameters.text("NextToken");
  let from = 0;
  if (given) {
    const after = seals.open(purpose, given) ?? reject("badToken");
    // What the last page ended with may be gone by now; then the place it had is the best there is.
    const [place = "0", id = ""] = after.split(" ");
    const found = items.findIndex((item) => item.id === id);
    from = found >= 0 ? found + 1 : Math.min(items.length, Number(place));
  }
  const limit = asked ?? bounds.usual ?? Number.POSITIVE_INFINITY;
  const page = items.slice(from, limit === Number.POSITIVE_INFINITY ? undefined : from + limit);
  const end = from + page.length;
  const last = page.at(-1);
  return { items: page, token: end < items.length && last ? seals.seal(purpose, `${end} ${last.id}`) : undefined };
}

/** The list of a page, and the token of the next one when there is one. */
export function answerPage(call: Call, action: string, set: string, { token }: Pick<Page<unknown>, "token">): Response {
  return answerEc2(call, action, token === undefined ? set : set + element("nextToken", token));
}
