import { type Difference, home, isOverlayNetns } from '@causeway/datapath';
import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Scope } from './scope.ts';

/** A difference as the wire has it: what is not there, or not wanted, is empty; in a container's namespace it is named. */
export function driftOf(host: string, network: string, difference: Difference): Drift {
  const { netns, kind, key, actual, intended } = difference;
  const inContainer = kind !== 'netns' && netns !== home && !isOverlayNetns(netns);
  const side = (text: string): string => (text === 'absent' ? '' : text);
  return {
    host,
    network,
    kind,
    key: inContainer ? `${netns} ${key}` : key,
    actual: side(actual),
    intended: side(intended),
  };
}

/** What stands for all of a scope that could not be compared: that is no proof that nothing differs. */
export function unreadable({ watched: netns = home }: Pick<Scope, 'watched'>, error: unknown): Difference {
  const why = error instanceof Error ? error.message : String(error);
  return { netns, kind: 'netns', key: netns, actual: `cannot be read: ${why}`, intended: 'present' };
}
