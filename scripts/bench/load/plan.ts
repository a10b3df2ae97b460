/** What a load is, what comes of it, and the meter that decides when it is enough. */

export interface Extent {
  readonly ms: number;
  readonly operations: number;
}

export interface Plan {
  /** Does not count: connections are made and code becomes warm. */
  readonly warmUp: Extent;
  readonly measured: Extent;
}

export interface HttpJob extends Plan {
  readonly port: number;
  readonly connections: number;
  /** Sent in turn. `counterMark` in them becomes a number that is never the same. */
  readonly requests: readonly string[];
  readonly status: number;
}

export interface SmtpJob extends Plan {
  readonly port: number;
  readonly connections: number;
  readonly size: number;
}

/** Eight characters, so that lengths stay true. */
export const counterMark = "########";

export interface Outcome {
  /** Operations that were measured. */
  readonly count: number;
  readonly perSecond: number;
  readonly p50: number;
}

export interface Meter {
  /** Tells of one finished operation; false says that it was enough. */
  done(tookMs: number): boolean;
  readonly finished: Promise<Outcome>;
  fail(cause: Error): void;
}

export function createMeter({ warmUp, measured }: Plan): Meter {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  let warm = false;
  let begunAt = performance.now();
  let took: number[] = [];
  return {
    finished: promise,
    fail: reject,
    done(tookMs) {
      took.push(tookMs);
      const elapsed = performance.now() - begunAt;
      const extent = warm ? measured : warmUp;
      if (elapsed < extent.ms && took.length < extent.operations) return true;
      if (!warm) {
        warm = true;
        begunAt = performance.now();
        took = [];
        return true;
      }
      took.sort((left, right) => left - right);
      resolve({
        count: took.length,
        perSecond: (took.length / elapsed) * 1000,
        p50: took[took.length >> 1] ?? Number.NaN,
      });
      return false;
    },
  };
}
