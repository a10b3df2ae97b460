/** What planned faults match a request by besides its segments: ARM names a resource by its whole id. */
import type { RequestFacts } from "../kernel/emulator.ts";
import type { Exchange } from "../kernel/exchange.ts";

/** The path, and of it what stands before the provider that answers: the scope that is asked about. */
export function factsOf({ target }: Exchange): RequestFacts {
  const path = decoded(target.split("?")[0] ?? "");
  const provider = path.toLowerCase().lastIndexOf("/providers/");
  return { resource: provider > 0 ? [path, path.slice(0, provider)] : [path] };
}

function decoded(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path; // a stray % is the client's own text
  }
}
