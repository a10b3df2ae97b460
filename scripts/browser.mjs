// Where a Chromium is: CHROMIUM, or the name under which Debian and others install it. Undefined when there is none.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

export function findBrowser() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const named = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) =>
    folders.map((folder) => join(folder, name)),
  );
  return [process.env.CHROMIUM, ...named].find((path) => {
    try {
      accessSync(path ?? "", constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
