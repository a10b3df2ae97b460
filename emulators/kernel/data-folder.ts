/** BACKLOT_DATA_DIR, made when it is not there. */
import { accessSync, constants, mkdirSync } from "node:fs";

/** @throws a sentence that names the setting and says why the folder cannot be used */
export function makeDataFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why =
      code === "EEXIST" || code === "ENOTDIR"
        ? "something that is no folder is in its place"
        : code === "EACCES" || code === "EPERM" || code === "EROFS"
          ? "this user may not write there"
          : (cause as Error).message;
    throw new Error(`BACKLOT_DATA_DIR=${folder} cannot be used: ${why}. Name a folder that can be written to.`, {
      cause,
    });
  }
}
