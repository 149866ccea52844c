import { type Encode, KernelError, type MessageReader, NETLINK_XFRM } from '@causeway/netlink';
import type { Reading } from './kind.ts';

/** Reads objects of IPsec. A kernel that has no IPsec has none. */
export async function dumpXfrm<Value>(
  { socket }: Reading,
  encode: Encode,
  add: (found: Map<string, Value>, message: MessageReader) => void,
): Promise<ReadonlyMap<string, Value>> {
  try {
    return await socket(NETLINK_XFRM).dump(encode, () => new Map<string, Value>(), add);
  } catch (error) {
    if (error instanceof KernelError && error.errno === 'EPROTONOSUPPORT') return new Map();
    throw error;
  }
}
