import { CausewayError, isCausewayError } from '@causeway/model';
import { milliseconds } from '@causeway/runtime';
import type { StreamPart } from '../answer.ts';
import type { Managers } from '../clients.ts';
import type { Call } from '../command.ts';

/** Pause before the progress is asked of another manager. */
const pause = milliseconds(250);

/**
 * The progress of something that all members do, until the last answer. When a manager dies, the next one is asked the same: the
 * request must have a request id.
 */
export async function* followRotation<Progress extends { readonly done: boolean }>(
  { settings, context }: Call<unknown>,
  ask: (managers: Managers) => AsyncIterable<Progress>,
): AsyncGenerator<Progress> {
  const { clock, signal } = context;
  let failingSince: number | undefined;
  while (!signal.aborted) {
    // Connections of its own: the time of --timeout begins anew for each.
    const clients = context.connect(settings, signal);
    let failure: unknown = new CausewayError('manager-unavailable', 'the manager ended the answer');
    try {
      for await (const each of ask(clients.managers)) {
        failingSince = undefined;
        yield each;
        if (each.done) return;
        // The operator is among the members for whom a rotation of the CA waits.
        await clients.renewIdentity();
      }
    } catch (error) {
      failure = error;
    } finally {
      clients.close();
    }
    if (signal.aborted) return;
    failingSince ??= clock.now();
    const mayRetry = isCausewayError(failure) && failure.kind === 'unavailable';
    if (!mayRetry || clock.now() - failingSince >= settings.timeout) throw failure;
    await clock.sleep(pause, signal);
  }
}

/** The parts that differ from the part before: two managers may say the same. */
export async function* withoutRepeats<Progress>(
  progress: AsyncIterable<Progress>,
  partOf: (progress: Progress) => StreamPart,
): AsyncGenerator<StreamPart> {
  let before = '';
  for await (const each of progress) {
    const part = partOf(each);
    const now = JSON.stringify(part.value);
    if (now !== before) yield part;
    before = now;
  }
}
