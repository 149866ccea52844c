import { type Encode, KernelError, type MessageReader } from '@causeway/netlink';
import type { Requests } from './kind.ts';

/** Errnos that mean: there is no such object, or a link of this kind cannot have such an object. */
const nothing: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'ENODEV', 'ERANGE', 'EINVAL', 'EOPNOTSUPP']);

/** Asks for one object. */
export function ask<Found>(
  socket: Requests,
  encode: Encode,
  read: (message: MessageReader) => Found | undefined,
  onNothing: (errno: string) => void = () => undefined,
): Found | undefined {
  let found: Found | undefined;
  try {
    socket.request(encode, (message) => {
      found = read(message);
    });
  } catch (error) {
    if (!(error instanceof KernelError && nothing.has(error.errno))) throw error;
    onNothing(error.errno);
  }
  return found;
}
