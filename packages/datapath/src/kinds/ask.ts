import { type Encode, KernelError, type MessageReader } from '@causeway/netlink';
import type { Refused, Requests } from './kind.ts';

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

/** Asks for one object with each message. Returns the answers, and why others cannot be known, by index. */
export function askAll<Found>(
  socket: Requests,
  messages: readonly Encode[],
  read: (message: MessageReader) => Found,
): { readonly found: ReadonlyMap<number, Found>; readonly refused: ReadonlyMap<number, Refused> } {
  const found = new Map<number, Found>();
  const refused = sendAll(socket, messages, (message, index) => found.set(index, read(message)));
  return { found, refused: new Map([...refused].filter(([, { errno }]) => !nothing.has(errno))) };
}

/** Sends the messages at once. Returns what the kernel has refused, by index. */
export function sendAll(
  socket: Requests,
  messages: readonly Encode[],
  visit?: (message: MessageReader, index: number) => void,
): ReadonlyMap<number, Refused> {
  return socket.batch(messages, (to, encode) => encode(to), visit);
}
