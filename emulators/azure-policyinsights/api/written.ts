/** What a client made of a resource, if it wrote it at all. */
import type { Estate } from "../domain/estate.ts";
import { resourceId } from "../domain/fields.ts";
import { type Json, record } from "../domain/json.ts";
import type { AzureState } from "../store.ts";

export interface Written {
  readonly body: Json;
  readonly related: Readonly<Record<string, number>>;
}

export function writtenOf(state: AzureState, estate: Estate, code: number): Written | undefined {
  const found = state.documents.find("resource", resourceId(estate, code));
  if (!found || found.body === null) return undefined;
  const { related, ...body } = record(JSON.parse(found.body));
  const counts: Record<string, number> = {};
  for (const [type, many] of Object.entries(record(related))) counts[type] = Number(many);
  return { body, related: counts };
}
