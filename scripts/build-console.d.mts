/** Name and bytes of each file. */
export function bundleConsole(root: string): Promise<ReadonlyMap<string, Uint8Array>>;
export function writeConsole(root: string): Promise<void>;
