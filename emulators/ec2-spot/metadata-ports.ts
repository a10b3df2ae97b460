/** Ports that each speak for one instance, for SDKs that can send neither a header nor a path. In order of launch. */

export interface MetadataPorts {
  /** The kernel's way to open ports; `range` as BACKLOT_IMDS_PORTS has it. */
  attach(range: string, listen: (port: number) => Promise<number>, failed: (cause: unknown) => void): void;
  /** Gives an instance the next port and opens it; nothing happens when there is none left. Ports of the dead are free. */
  give(instance: string, alive: (instance: string) => boolean): void;
  /** Takes the port of an instance that is gone back; the next launch may have it. */
  release(instance: string): void;
  portOf(instance: string): number | undefined;
  instanceAt(port: number): string | undefined;
}

const mostFree = 20;

export function createMetadataPorts(): MetadataPorts {
  const byInstance = new Map<string, number>();
  const byPort = new Map<number, string>();
  let unopened: number[] = [];
  const idle: number[] = [];
  let listen: ((port: number) => Promise<number>) | undefined;
  let failed: (cause: unknown) => void = () => {};
  const assign = (instance: string, port: number) => {
    byInstance.set(instance, port);
    byPort.set(port, instance);
  };
  const open = async (instance: string): Promise<void> => {
    const wanted = unopened.shift();
    if (wanted === undefined || !listen) return;
    try {
      assign(instance, await listen(wanted));
    } catch (cause) {
      // Another process has the port: the next one will do.
      failed(cause);
      await open(instance);
    }
  };
  const ports: MetadataPorts = {
    attach(range, how, onFailure) {
      listen = how;
      failed = onFailure;
      const [first, last] = range.split("-").map(Number);
      if (range === "0") unopened = new Array<number>(mostFree).fill(0);
      else if (first !== undefined && last !== undefined)
        unopened = Array.from({ length: Math.max(0, Math.min(last - first + 1, 1000)) }, (_, index) => first + index);
    },
    give(instance, alive) {
      if (byInstance.has(instance)) return;
      for (const holder of [...byInstance.keys()]) if (!alive(holder)) ports.release(holder);
      const free = idle.shift();
      if (free !== undefined) assign(instance, free);
      else open(instance).catch(failed);
    },
    release(instance) {
      const port = byInstance.get(instance);
      if (port === undefined) return;
      byInstance.delete(instance);
      byPort.delete(port);
      idle.push(port);
      idle.sort((left, right) => left - right);
    },
    portOf: (instance) => byInstance.get(instance),
    instanceAt: (port) => byPort.get(port),
  };
  return ports;
}
