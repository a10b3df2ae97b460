/** SQL of what clients wrote. Nothing is overwritten: a page of an earlier list is read from the versions it began with. */
import type { Database } from "../kernel/state.ts";
import { hashText, mix } from "./domain/hash.ts";
import type { Json } from "./domain/json.ts";

/** Kinds that decide which rows there are. */
export const structural = [
  "group",
  "resource",
  "assignment",
  "definition",
  "set",
  "definitionVersion",
  "setVersion",
] as const;
export type DocumentKind =
  | (typeof structural)[number]
  | "exemption"
  | "attestation"
  | "remediation"
  | "eventSubscription"
  | "systemTopic"
  | "deadLetter"
  | "evaluationJob";

export interface StoredDocument {
  /** In lower case. */
  readonly id: string;
  readonly version: number;
  /** JSON text; null when it was deleted. */
  readonly body: string | null;
  /** False for a change of something seeded. */
  readonly made: boolean;
  readonly at: number;
}

export interface StoredEvaluation {
  readonly resource: string;
  /** Assignment id and, after a bar, reference id or definition id. */
  readonly policy: string;
  readonly compliance: number;
  readonly changed: boolean;
  readonly at: number;
}

export interface Documents {
  /** The newest version; undefined when there never was one. */
  find(kind: DocumentKind, id: string): StoredDocument | undefined;
  /** What the newest version says; undefined when there is none or it was deleted. */
  body(kind: DocumentKind, id: string): Json;
  /** The newest versions, deleted ones included, in the order of ids. */
  list(kind: DocumentKind): readonly StoredDocument[];
  /** When the first version was written. */
  since(kind: DocumentKind, id: string): number | undefined;
  put(kind: DocumentKind, document: Omit<StoredDocument, "version">): void;
  evaluate(evaluations: readonly StoredEvaluation[]): void;
  /** How much has been written; what a later reader names to see no more than that. */
  seen(): number;
  /** Texts that differ when the structure or the evaluations differ. */
  fingerprint(seen: number | undefined): { readonly structure: number; readonly evaluations: number };
  structure(seen: number): readonly (StoredDocument & { readonly kind: string })[];
  evaluations(seen: number): readonly StoredEvaluation[];
}

type DocumentRow = Omit<StoredDocument, "made"> & { made: number };
type EvaluationRow = Omit<StoredEvaluation, "changed"> & { changed: number };

const kinds = structural.map((kind) => `'${kind}'`).join(",");
const newest = "version = (SELECT max(version) FROM azure_documents o WHERE o.kind = d.kind AND o.id = d.id";

export function openDocuments(db: Database): Documents {
  const statement = {
    find: db.prepare(
      "SELECT id, version, body, made, at FROM azure_documents WHERE kind = ? AND id = ? ORDER BY version DESC LIMIT 1",
    ),
    list: db.prepare(
      `SELECT id, version, body, made, at FROM azure_documents d WHERE kind = ? AND ${newest}) ORDER BY id`,
    ),
    since: db.prepare("SELECT min(at) FROM azure_documents WHERE kind = ? AND id = ?").pluck(),
    put: db.prepare(
      "INSERT INTO azure_documents (kind, id, version, body, made, at, hash, arrival) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    version: db
      .prepare("SELECT coalesce(max(version), 0) FROM azure_evaluations WHERE resource = ? AND policy = ?")
      .pluck(),
    evaluate: db.prepare(
      "INSERT INTO azure_evaluations (resource, policy, version, compliance, changed, at, hash, arrival) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    seen: db.prepare("SELECT arrival FROM azure_estate").pluck(),
    count: db.prepare(
      "UPDATE azure_estate SET arrival = ?, structure = (structure + ?) % 4503599627370496, evaluations = (evaluations + ?) % 4503599627370496",
    ),
    sums: db.prepare("SELECT structure, evaluations FROM azure_estate"),
    structureUntil: db
      .prepare(
        `SELECT coalesce(sum(hash), 0) % 4503599627370496 FROM azure_documents WHERE kind IN (${kinds}) AND arrival <= ?`,
      )
      .pluck(),
    evaluationsUntil: db
      .prepare("SELECT coalesce(sum(hash), 0) % 4503599627370496 FROM azure_evaluations WHERE arrival <= ?")
      .pluck(),
    structure: db.prepare(
      `SELECT kind, id, version, body, made, at FROM azure_documents d
       WHERE kind IN (${kinds}) AND arrival <= @seen AND ${newest} AND o.arrival <= @seen) ORDER BY kind, id`,
    ),
    evaluations: db.prepare(
      "SELECT resource, policy, compliance, changed, at FROM azure_evaluations WHERE arrival <= ? ORDER BY resource, policy, version",
    ),
  };
  const seen = () => Number(statement.seen.get() ?? 0);
  const documents: Documents = {
    find(kind, id) {
      const row = statement.find.get(kind, id.toLowerCase()) as DocumentRow | undefined;
      return row && toDocument(row);
    },
    body(kind, id) {
      const body = documents.find(kind, id)?.body;
      return body === undefined || body === null ? undefined : JSON.parse(body);
    },
    list: (kind) => (statement.list.all(kind) as DocumentRow[]).map(toDocument),
    since: (kind, id) => (statement.since.get(kind, id.toLowerCase()) as number | null) ?? undefined,
    put(kind, { id, body, made, at }) {
      const version = (documents.find(kind, id)?.version ?? 0) + 1;
      const hash = mix(hashText(`${kind} ${id} ${version}`), hashText(body ?? ""));
      const arrival = seen() + 1;
      statement.put.run(kind, id, version, body, made ? 1 : 0, at, hash, arrival);
      statement.count.run(arrival, structural.some((each) => each === kind) ? hash : 0, 0);
    },
    evaluate(evaluations) {
      if (evaluations.length === 0) return;
      const arrival = seen() + 1;
      let sum = 0;
      for (const { resource, policy, compliance, changed, at } of evaluations) {
        const version = Number(statement.version.get(resource, policy)) + 1;
        const hash = mix(hashText(`${resource} ${policy}`), mix(version * 16 + compliance, at));
        statement.evaluate.run(resource, policy, version, compliance, changed ? 1 : 0, at, hash, arrival);
        sum += hash;
      }
      statement.count.run(arrival, 0, sum);
    },
    seen,
    fingerprint(until) {
      if (until === undefined || until >= seen())
        return statement.sums.get() as { structure: number; evaluations: number };
      return {
        structure: Number(statement.structureUntil.get(until)),
        evaluations: Number(statement.evaluationsUntil.get(until)),
      };
    },
    structure: (until) =>
      (statement.structure.all({ seen: until }) as (DocumentRow & { kind: string })[]).map((row) => ({
        ...toDocument(row),
        kind: row.kind,
      })),
    evaluations: (until) =>
      (statement.evaluations.all(until) as EvaluationRow[]).map((row) => ({ ...row, changed: row.changed === 1 })),
  };
  return documents;
}

function toDocument({ id, version, body, made, at }: DocumentRow): StoredDocument {
  return { id, version, body, made: made === 1, at };
}
