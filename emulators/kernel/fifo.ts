/** A queue whose both ends cost the same however long it is: an array's `shift` moves everything behind it. */
export interface Fifo<T> {
  readonly size: number;
  readonly first: T | undefined;
  push(item: T): void;
  shift(): T | undefined;
}

export function createFifo<T>(): Fifo<T> {
  let items: (T | undefined)[] = [];
  let head = 0;
  return {
    get size() {
      return items.length - head;
    },
    get first() {
      return items[head];
    },
    push(item) {
      items.push(item);
    },
    shift() {
      if (head >= items.length) return undefined;
      const item = items[head];
      items[head] = undefined;
      head += 1;
      if (head > 32 && head * 2 > items.length) {
        items = items.slice(head);
        head = 0;
      }
      return item;
    },
  };
}
