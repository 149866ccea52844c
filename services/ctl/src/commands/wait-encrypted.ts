import { CausewayError } from '@causeway/model';
import type { Network } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Clock, type Duration, milliseconds } from '@causeway/runtime';
import type { Managers } from '../clients.ts';
import { present } from './present.ts';

export interface Changed {
  /** The network as it is now. */
  readonly network: Network;
  /** Absent: the network has the driver that it was to have. */
  readonly problem?: CausewayError;
}

const pause = milliseconds(250);
/** Reserve for the last answer, so that the command can say what is waited for. */
const reserve = milliseconds(750);

/** Waits until the network is encrypted, or is not any more. The change goes on after that time, so its end is no error. */
export async function waitEncrypted(
  managers: Pick<Managers, 'getNetwork'>,
  known: Network,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  timeout: Duration,
): Promise<Changed> {
  const deadline = clock.now() + timeout - reserve;
  let network = known;
  while (network.becomes !== '') {
    if (signal.aborted || clock.now() >= deadline) return { network, problem: notYet(network) };
    await clock.sleep(pause, signal);
    network = present((await managers.getNetwork({ network: known.id, atLeast: 0n })).network, 'network');
  }
  return { network };
}

function notYet({ name, conditions }: Network): CausewayError {
  const why = conditions.find(({ type }) => type === 'Settled')?.message ?? '';
  const message = `network ${name} still changes${why === '' ? '' : `: ${why}`}; the change goes on: causeway network show ${name}`;
  return new CausewayError('timed-out', message, { network: name });
}
