/**
 * What a strict seed lets a principal ask in a while, in fixed windows on the virtual clock. Other seeds count nothing, so
 * that the same request is answered by the same bytes however often it was asked.
 */
export const quotas = {
  reads: { most: 16_500, seconds: 3_600 },
  writes: { most: 800, seconds: 3_600 },
  policyInsights: { most: 150, seconds: 300 },
  /** Resource Graph. */
  queries: { most: 15, seconds: 5 },
} as const;
export type QuotaName = keyof typeof quotas;

export interface Taken {
  /** After this request; negative when it is one too many. */
  readonly remaining: number;
  /** Until the window ends. */
  readonly seconds: number;
}

export interface Quota {
  take(name: QuotaName, principal: string, now: number): Taken;
}

const mostWindows = 10_000;

export function createQuota(): Quota {
  const windows = new Map<string, { start: number; used: number }>();
  return {
    take(name, principal, now) {
      const { most, seconds } = quotas[name];
      const key = `${name} ${principal}`;
      const known = windows.get(key);
      // A clock that was put back begins anew.
      const fresh = !known || now < known.start || now >= known.start + seconds * 1000;
      if (fresh && windows.size >= mostWindows) windows.clear();
      const window = fresh ? { start: now, used: 0 } : known;
      window.used += 1;
      windows.set(key, window);
      return { remaining: most - window.used, seconds: Math.ceil((window.start + seconds * 1000 - now) / 1000) };
    },
  };
}
