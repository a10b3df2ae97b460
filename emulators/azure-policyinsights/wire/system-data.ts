import { type Json, member, text } from "../domain/json.ts";

/** `systemData` of something that an application writes now; `before` is what it was, which keeps who created it. */
export function systemData(author: string, now: number, before: Json) {
  const at = new Date(now).toISOString();
  const known = member(before, "systemData");
  return {
    createdBy: text(known, "createdBy") || author,
    createdByType: "Application",
    createdAt: text(known, "createdAt") || at,
    lastModifiedBy: author,
    lastModifiedByType: "Application",
    lastModifiedAt: at,
  };
}
