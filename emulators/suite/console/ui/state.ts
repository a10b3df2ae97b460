/** What the views share: the control API, the live journal, the place in the address bar. */
import { createContext } from "preact";
import { useCallback, useContext, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { PageData } from "../page-facts.ts";
import { type Api, createApi } from "./api.ts";
import { createLive, type Live } from "./live.ts";

export interface JournalFilter {
  search: string;
  kind: string;
  emulator: string;
}

export interface Shared {
  readonly api: Api;
  readonly live: Live;
  /** Stays as it is when one goes from view to view. */
  readonly filter: JournalFilter;
}

export function createShared({ base, answers }: PageData): Shared {
  const api = createApi(base, answers);
  return { api, live: createLive(api), filter: { search: "", kind: "", emulator: "" } };
}

const nowhere = createContext<Shared | undefined>(undefined);
export const SharedProvider = nowhere.Provider;

export function useShared(): Shared {
  const shared = useContext(nowhere);
  if (!shared) throw new Error("a view stands outside of the console");
  return shared;
}

/** Renders again when the journal moved. */
export function useLive(): Live {
  const { live } = useShared();
  const [, set] = useState(0);
  useEffect(() => live.subscribe(() => set(live.version)), [live]);
  return live;
}

export interface Resource<T> {
  readonly value: T | undefined;
  readonly error: string | undefined;
  reload(): void;
}

/** How a resource is read; of a module, as a new function would mean a new resource. */
export type Reader<T> = (api: Api, path: string) => Promise<T>;
export const asJson: Reader<unknown> = (api, path) => api.get(path);
export const asText: Reader<string> = (api, path) => api.text(path);

interface Read<T> {
  readonly path?: string;
  readonly value?: T;
  readonly error?: string;
}

function served<T>(api: Api, path: string | undefined): Read<T> {
  const value = path === undefined ? undefined : api.known(path);
  return path === undefined || value === undefined ? {} : { path, value: value as T };
}

/** Reads again when the path or `mark` changes and every `everyMs`; one request at a time, at least 150 ms apart. */
export function useResource<T>(
  path: string | undefined,
  { everyMs, mark, reader = asJson }: { everyMs?: number; mark?: unknown; reader?: Reader<unknown> } = {},
): Resource<T> {
  const { api } = useShared();
  const [state, set] = useState(() => served<T>(api, path));
  const run = useRef({ busy: false, again: false });
  const wanted = useRef(path);
  wanted.current = path;
  const read = useCallback(async () => {
    const asked = wanted.current;
    if (asked === undefined) return;
    if (run.current.busy) {
      run.current.again = true;
      return;
    }
    run.current.busy = true;
    try {
      const value = await reader(api, asked);
      if (wanted.current === asked) set({ path: asked, value: value as T });
    } catch (cause) {
      if (wanted.current === asked)
        set((before) => ({
          path: asked,
          ...(before.path === asked && before.value !== undefined ? { value: before.value } : {}),
          error: cause instanceof Error ? cause.message : String(cause),
        }));
    }
    setTimeout(() => {
      run.current.busy = false;
      if (run.current.again || wanted.current !== asked) {
        run.current.again = false;
        void read();
      }
    }, 150);
  }, [api, reader]);
  // Not after the paint, as effects are: the answer is under way while the browser draws.
  const asks = useRef(state.value === undefined);
  useLayoutEffect(() => {
    if (asks.current) void read();
    asks.current = true;
  }, [path, mark, read]);
  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => {
      if (!document.hidden) void read();
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs, read]);
  const fits = state.path === path;
  return { value: fits ? state.value : undefined, error: fits ? state.error : undefined, reload: () => void read() };
}

/** `#/webhooks/deliveries/twilio/whd_1` as its segments. */
export function useRoute(): readonly string[] {
  const [hash, set] = useState(location.hash);
  useEffect(() => {
    const changed = () => set(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return hash
    .replace(/^#\/?/, "")
    .split("/")
    .filter((segment) => segment !== "")
    .map(decodeSegment);
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // typed by hand
  }
}

export const place = (...segments: readonly string[]) => `#/${segments.map(encodeURIComponent).join("/")}`;

export function go(...segments: readonly string[]): void {
  location.hash = place(...segments);
}

/** Runs a control action, and says what went wrong. */
export function useAction(): {
  readonly busy: boolean;
  readonly said: { readonly text: string; readonly bad: boolean } | undefined;
  run(work: () => Promise<string | undefined>): void;
} {
  const [state, set] = useState<{ busy: boolean; said?: { text: string; bad: boolean } }>({ busy: false });
  const run = (work: () => Promise<string | undefined>) => {
    set({ busy: true });
    work().then(
      (text) => set({ busy: false, ...(text === undefined ? {} : { said: { text, bad: false } }) }),
      (cause: unknown) =>
        set({ busy: false, said: { text: cause instanceof Error ? cause.message : String(cause), bad: true } }),
    );
  };
  return { busy: state.busy, said: state.said, run };
}
