import { createInterface } from 'node:readline';

export type Answers = Readonly<Record<string, (argument: unknown) => Promise<unknown>>>;

interface Question {
  readonly id: number;
  readonly ask: string;
  readonly argument: unknown;
}

/** Answers the parent process: reads one JSON line per question from stdin, and writes one to stdout. Ends with stdin. */
export function serveLines(answers: Answers): void {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const { id, ask, argument } = JSON.parse(line) as Question;
    const answer = answers[ask]?.(argument) ?? Promise.reject(new Error(`there is no answer to "${ask}"`));
    answer.then(
      (value) => say({ id, value: value ?? null }),
      (error: unknown) => say({ id, error: String(error) }),
    );
  });
  lines.on('close', () => process.exit(0));
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
