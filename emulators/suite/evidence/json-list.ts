/** A list as canonicalJson writes it, element by element. */
import type { Artefact } from "./artefact.ts";
import { canonicalJson } from "./canonical.ts";
import type { PackWriter } from "./pack.ts";

/** An element as it stands in a list of them. */
export const listed = (element: unknown): string => canonicalJson([element]).slice(2, -3);

export interface JsonList {
  add(element: unknown): void;
  /** What `listed` made. */
  addText(text: string | Uint8Array): void;
  end(): void;
}

export function jsonListFile(pack: PackWriter, about: Omit<Artefact, "bytes">): JsonList {
  const file = pack.open(about);
  let before = "[\n";
  const addText = (text: string | Uint8Array) => {
    file.write(before, text);
    before = ",\n";
  };
  return {
    addText,
    add: (element) => addText(listed(element)),
    end() {
      file.write(before === "[\n" ? "[]\n" : "\n]\n");
      file.end();
    },
  };
}
