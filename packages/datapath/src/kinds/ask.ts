import { type Encode, KernelError, type MessageReader } from '@causeway/netlink';
import type { Requests } from './kind.ts';

/** How the kernel says that there is nothing such, or that a link of this kind can have nothing such. */
const nothing: ReadonlySet<string> = new Set(['ENOENT', 'ENODEV', 'ERANGE', 'EINVAL', 'EOPNOTSUPP']);

/** One thing, asked for by itself. */
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
