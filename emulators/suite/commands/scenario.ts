/** `backlot scenario run FILE`: plays a scenario on a private suite and says what became of each step. */
import { playScenario } from "../evidence/scenario/run.ts";
import { readScenario } from "../evidence/scenario/schema.ts";

/** Exit codes: 0 every step passed, 1 one did not, 2 the command line cannot be used. */
export async function scenario(args: readonly string[], options: { readonly concurrency?: number }): Promise<number> {
  const [verb, file, ...rest] = args;
  if (verb !== "run" || file === undefined || rest.length > 0) {
    process.stderr.write("Say which scenario: backlot scenario run FILE\n");
    return 2;
  }
  const story = readScenario(file);
  process.stdout.write(`${story.title}\n`);
  const { passed, results } = await playScenario(story, {
    ...options,
    onStep: ({ order, name, failure }) =>
      process.stdout.write(
        `  ${failure === undefined ? "ok  " : "FAIL"} ${order} ${name}${failure === undefined ? "" : `\n       ${failure}`}\n`,
      ),
  });
  process.stdout.write(`${results.length} steps, ${passed ? "all passed" : "the last one failed"}\n`);
  return passed ? 0 : 1;
}
