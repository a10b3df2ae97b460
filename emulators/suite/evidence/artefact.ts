/** A file of a pack before it is packed. */

/**
 * `det`: the same bytes in every run. `norm`: volatile fields are replaced, then the same bytes. `vol`: kept as seen, in
 * volatile/, with a hash list of its own.
 */
export type ArtefactClass = "det" | "norm" | "vol";

export interface Artefact {
  readonly path: string;
  readonly class: ArtefactClass;
  readonly mediaType: string;
  /** What it shows, in a line. */
  readonly about: string;
  readonly bytes: Uint8Array;
}

export const volatileFolder = "volatile/";

const mediaTypes: Readonly<Record<string, string>> = {
  eml: "message/rfc822",
  har: "application/har+json",
  html: "text/html",
  http: "message/http",
  json: "application/json",
  jsonl: "application/x-ndjson",
  md: "text/markdown",
  png: "image/png",
  txt: "text/plain",
  xml: "application/xml",
};

/** Its class follows from the folder, its media type from the name. */
export function artefact(path: string, about: string, content: string | Uint8Array): Artefact {
  return { ...described(path, about), bytes: typeof content === "string" ? Buffer.from(content) : content };
}

export function described(path: string, about: string): Omit<Artefact, "bytes"> {
  return {
    path,
    class: path.startsWith(volatileFolder) ? "vol" : "norm",
    mediaType: mediaTypes[/\.([a-z]+)$/.exec(path)?.[1] ?? ""] ?? "application/octet-stream",
    about,
  };
}
