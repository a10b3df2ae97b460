/** Keeps the answers of receivers within bounds: the newest whole, of older ones the beginning. */
import { createFifo } from "./fifo.ts";
import type { Deliveries } from "./outbox-store.ts";

/** Answers up to this long are not worth the counting. */
const shortLength = 1_024;
const mostBytes = 4 * 1024 * 1024;

interface Kept {
  readonly delivery: string;
  readonly n: number;
  readonly length: number;
}

export function keepAnswers(deliveries: Pick<Deliveries, "longAnswers" | "cutAnswer">) {
  let kept = createFifo<Kept>();
  let total = 0;
  const add = (answer: Kept) => {
    kept.push(answer);
    total += answer.length;
    while (total > mostBytes) {
      const oldest = kept.shift();
      if (!oldest) return;
      total -= oldest.length;
      deliveries.cutAnswer(oldest.delivery, oldest.n, shortLength);
    }
  };
  return {
    /** Inside the write that keeps the answer. */
    added(delivery: string, n: number, length: number): void {
      if (length > shortLength) add({ delivery, n, length });
    },
    load(): void {
      kept = createFifo();
      total = 0;
      for (const answer of deliveries.longAnswers(2 * shortLength)) add(answer);
    },
  };
}
