import type { Lab } from '@causeway/lab/io';

/** What a step found, or why it failed. */
export type Outcome<Value> = { readonly value: Value } | { readonly error: string };

/** A story's findings, by step. A failure ends no story, so that one run shows all that is wrong. */
export type Outcomes<Story> = { readonly [Step in keyof Story]?: Outcome<Story[Step]> };

/** Runs the steps of a story one after the other. */
export class Steps<Story> {
  readonly outcomes: { -readonly [Step in keyof Story]?: Outcome<Story[Step]> } = {};
  readonly #began = performance.now();

  /** Prints how long the step took, which is read when the guest fails. */
  async run<Step extends keyof Story & string>(step: Step, work: () => Promise<Story[Step]>): Promise<void> {
    const began = performance.now();
    try {
      this.outcomes[step] = { value: await work() };
    } catch (error) {
      this.outcomes[step] = { error: error instanceof Error ? `${error.stack}` : String(error) };
    }
    const [at, took] = [began - this.#began, performance.now() - began].map((ms) => (ms / 1000).toFixed(1));
    console.log(`uml: ${at} s: ${step} took ${took} s`);
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
