/** From the seed to the rows that a reset goes back to. */
import { createHash } from "node:crypto";
import type { Emulator, Runtime } from "./emulator.ts";
import type { SeedDocument } from "./seed.ts";
import type { Store } from "./state.ts";

/** A data folder belongs to the seed it was made with: another seed would mix two worlds. */
export function seedStore<State, Seed>(
  emulator: Emulator<State, Seed>,
  runtime: Runtime<State>,
  store: Store & { readonly fresh: boolean },
  seed: SeedDocument<Seed>,
): void {
  const fingerprint = createHash("sha256").update(`${runtime.settings.seed}\u0000${seed.text}`).digest("hex");
  if (store.fresh) {
    applySeed(emulator, runtime, store, seed.seed);
    store.meta.set("seed", JSON.stringify({ seed: runtime.settings.seed, fingerprint }));
    return;
  }
  const made = JSON.parse(store.meta.get("seed") ?? "{}") as { seed?: string; fingerprint?: string };
  if (made.fingerprint !== fingerprint && store.durable) {
    const what =
      made.seed === runtime.settings.seed
        ? `another version of ${seed.source}`
        : `the seed "${made.seed}", not "${runtime.settings.seed}"`;
    store.close();
    throw new Error(
      `${runtime.settings.dataDir} holds ${emulator.title} made from ${what}. Use that seed, another BACKLOT_DATA_DIR, or delete the folder.`,
    );
  }
}

export function applySeed<State, Seed>(
  emulator: Emulator<State, Seed>,
  runtime: Runtime<State>,
  store: Store,
  seed: Seed,
): void {
  store.clear();
  store.write(() => emulator.seed.apply(seed, runtime));
  store.keepPristine();
}
