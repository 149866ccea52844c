import { type Difference, isOverlayNetns, overlayNetns } from '@causeway/datapath';
import type { NetworkId } from '@causeway/model';
import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';

/** A difference as the wire has it: what is not there, or not wanted, is empty; in a container's namespace it is named. */
export function driftOf(host: string, network: string, difference: Difference): Drift {
  const { netns, kind, key, actual, intended } = difference;
  const inContainer = kind !== 'netns' && !isOverlayNetns(netns);
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

/** What stands for all of a network that could not be compared: that is no proof that nothing differs. */
export function unreadable(networkId: NetworkId, error: unknown): Difference {
  const netns = overlayNetns(networkId);
  const why = error instanceof Error ? error.message : String(error);
  return { netns, kind: 'netns', key: netns, actual: `cannot be read: ${why}`, intended: 'present' };
}
