/** A query option that cannot be used. `at` is the 0-based position in the option's text, where one is to blame. */
export class ODataProblem extends Error {
  readonly option: string;
  readonly at: number | undefined;
  constructor(option: string, message: string, at?: number) {
    super(at === undefined ? message : `${message} (at position ${at})`);
    this.name = "ODataProblem";
    this.option = option;
    this.at = at;
  }
}
