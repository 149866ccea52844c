import type { Lab } from '@causeway/lab/io';

/** What a step found, or why it failed. */
export type Outcome<Value> = { readonly value: Value } | { readonly error: string };

/** What a step found. Throws what went wrong in the guest. */
export function foundBy<Value>(outcome: Outcome<Value> | undefined): Value {
  if (outcome === undefined) throw new Error('the step was not reached');
  if ('error' in outcome) throw new Error(outcome.error);
  return outcome.value;
}

/** A story's findings, by step. A failure ends no story, so that one run shows all that is wrong. */
export type Outcomes<Story> = { readonly [Step in keyof Story]?: Outcome<Story[Step]> };

/** Runs the steps of a story one after the other. */
export class Steps<Story> {
  readonly outcomes: { -readonly [Step in keyof Story]?: Outcome<Story[Step]> } = {};
  readonly #began = performance.now();

  /** Prints what the step found and how long it took, for the case that the guest fails later. */
  async run<Step extends keyof Story & string>(step: Step, work: () => Promise<Story[Step]>): Promise<void> {
    const began = performance.now();
    try {
      this.outcomes[step] = { value: await work() };
    } catch (error) {
      this.outcomes[step] = { error: error instanceof Error ? `${error.stack}` : String(error) };
    }
    const [at, took] = [began - this.#began, performance.now() - began].map((ms) => (ms / 1000).toFixed(1));
    console.log(`uml: ${at} s: ${step} took ${took} s: ${JSON.stringify(this.outcomes[step])}`);
  }

  /** Runs steps that need the same, in the order of the table. */
  async runAll<Names extends keyof Story & string, Needs>(
    table: { readonly [Step in Names]: (needs: Needs) => Promise<Story[Step]> },
    needs: Needs,
  ): Promise<void> {
    for (const step of Object.keys(table) as Names[]) await this.run(step, () => table[step](needs));
  }

  get hasFailed(): boolean {
    return Object.values<object | undefined>(this.outcomes).some(
      (outcome) => outcome !== undefined && 'error' in outcome,
    );
  }
}

/** The last lines of each log, for a failure that must be understood from what the guest said. */
export async function printLogs(lab: Lab, lines = 20): Promise<void> {
  for (const host of lab.hosts) {
    const log = lab.logPath(host, 'agent');
    console.log(`uml: the agent of ${host}:\n${await lab.sh('switch', `tail -n ${lines} ${log}`)}`);
  }
}
