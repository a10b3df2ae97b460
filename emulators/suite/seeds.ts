/** What scripts/build.mjs runs once the bundle is there: the seeds of all emulators, checked ahead of every start. */
import { keepCheckedSeeds } from "../kernel/seed.ts";
import { registry } from "./registry.ts";

const described = await Promise.all(registry.map(({ describe }) => describe()));
await keepCheckedSeeds(described.map(({ seed }) => seed));
