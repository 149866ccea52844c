import { isCausewayError } from '@causeway/model';
import { type Clock, seconds } from '@causeway/runtime';
import type { Answer, StreamPart } from './answer.ts';
import { renderJson } from './render/json.ts';
import { isoTime } from './render/time.ts';

/** Pause between two rounds. */
const pause = seconds(2);

export interface Watching {
  readonly look: () => Promise<Answer>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /**
   * true: a person looks at a screen, and each round replaces the round before. false: a round is printed only when it
   * differs.
   */
  readonly redraws: boolean;
}

/**
 * Runs until the signal. A cluster that does not answer is worth watching, so the failure is shown and the cluster is
 * asked again.
 */
export async function* watchStatus({ look, clock, signal, redraws }: Watching): AsyncGenerator<StreamPart> {
  let before = '';
  while (!signal.aborted) {
    const answer = withProblem(await look().catch(failed));
    if (signal.aborted) return;
    const now = renderJson(answer.value);
    if (redraws || now !== before)
      yield { value: answer.value, name: answer.names[0] ?? '', table: answer.table, heading: isoTime(clock.wall()) };
    before = now;
    await clock.sleep(pause, signal);
  }
}

/** The problem ends a single `status`. In a watch, it is one more line. */
function withProblem(answer: Answer): Answer {
  const { problem, table } = answer;
  if (problem === undefined || table.kind !== 'sheet') return answer;
  return {
    ...answer,
    table: { ...table, fields: [...table.fields, ['problem', { text: problem.message, tone: 'bad' }]] },
  };
}

function failed(error: unknown): Answer {
  if (!isCausewayError(error)) throw error;
  const { code, message, data } = error;
  return { value: { error: { code, message, data } }, names: [''], table: { kind: 'line', text: message } };
}
