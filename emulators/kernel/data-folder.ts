/** Folders that settings name, and what is said when one cannot be used. */
import { accessSync, constants, mkdirSync } from "node:fs";

/** @throws a sentence that names the setting and says why the folder cannot be used */
export function makeDataFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    throw folderError("BACKLOT_DATA_DIR", folder, cause);
  }
}

export function folderError(setting: string, folder: string, cause: unknown): Error {
  const { code, message } = cause as NodeJS.ErrnoException;
  const why =
    code === "EEXIST" || code === "ENOTDIR"
      ? "something that is no folder is in its place"
      : code === "EACCES" || code === "EPERM" || code === "EROFS"
        ? "this user may not write there"
        : message;
  return new Error(`${setting}=${folder} cannot be used: ${why}. Name a folder that can be written to.`, { cause });
}
