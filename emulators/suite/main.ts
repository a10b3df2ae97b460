/** Entry for running from the sources (`npm run dev`); the bundle is entered through scripts/launcher.mjs. */
import { main } from "./cli.ts";

process.exitCode = await main(process.argv.slice(2));
