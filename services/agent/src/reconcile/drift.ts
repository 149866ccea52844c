import { type Difference, hostNetns, isOverlayNetns } from '@causeway/datapath';
import { messageOf } from '@causeway/model';
import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Scope } from './scope.ts';

/**
 * Converts a difference to its message. A side that is absent is empty. The key of a difference in a container's
 * namespace begins with the namespace.
 */
export function driftOf(host: string, network: string, difference: Difference): Drift {
  const { netns, kind, key, actual, desired } = difference;
  const inContainer = kind !== 'netns' && netns !== hostNetns && !isOverlayNetns(netns);
  const side = (text: string): string => (text === 'absent' ? '' : text);
  return {
    host,
    network,
    kind,
    key: inContainer ? `${netns} ${key}` : key,
    actual: side(actual),
    desired: side(desired),
  };
}

/**
 * The difference that stands for a whole scope that could not be compared: a failed read does not prove that nothing
 * differs.
 */
export function unreadable({ watched: netns = hostNetns }: Pick<Scope, 'watched'>, error: unknown): Difference {
  return { netns, kind: 'netns', key: netns, actual: `cannot be read: ${messageOf(error)}`, desired: 'present' };
}
