import { isCausewayError } from '@causeway/model';
import { type Clock, seconds } from '@causeway/runtime';
import type { Answer, StreamPart } from './answer.ts';
import { renderJson } from './render/json.ts';
import { isoTime } from './render/time.ts';

/** Between looks. */
const pause = seconds(2);

export interface Watching {
  readonly look: () => Promise<Answer>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Somebody looks at a screen: each look is shown, in place of the one before. Else only what is other than before. */
  readonly redraws: boolean;
}

/** Until the signal: a cluster that does not answer is what is worth watching, so that is shown and asked again. */
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

/** What keeps the cluster from changing ends a command; here it is one more line. */
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
