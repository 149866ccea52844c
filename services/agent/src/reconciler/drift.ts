import { type Difference, isOverlayNetns } from '@causeway/datapath';
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
