import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Milliseconds. A server that runs accepts a connection, and sends its first bytes, within a few milliseconds. */
export const connectWithin = 1_000;

/** Published by Node for every client socket (node:diagnostics_channel, "net.client.socket"). */
const channel = 'net.client.socket';

/**
 * From now on, a connection of this process fails like a refused one if it is not accepted within the limit, or if the other
 * end then sends nothing within the limit. The code that opened it tries again with a new connection.
 *
 * Without this, a connection to a host that drops packets stays in `connect` while the kernel repeats its SYN at growing
 * intervals. It may open only 64 s after the path is back (tcp(7), tcp_syn_retries), and keeps the process alive meanwhile.
 * For a stopped process the kernel accepts the connection, which then stays silent. gRPC limits neither, and continues with
 * the old socket even after its client is closed. Use this only in processes in which, for every connection, the server
 * sends first, as in HTTP/2. Returns a function that ends the limit.
 */
export function limitConnects(within = connectWithin): () => void {
  const limit = (message: unknown): void => watch((message as { readonly socket: Socket }).socket, within);
  subscribe(channel, limit);
  return () => unsubscribe(channel, limit);
}

function watch(socket: Socket, within: number): void {
  let stop = after(within, () => {
    if (socket.connecting) give(socket, `was not accepted within ${within} ms`);
  });
  socket.once('connect', () => {
    stop();
    stop = after(within, () => {
      if (socket.bytesRead === 0) give(socket, `was accepted, but the server sent nothing for ${within} ms`);
    });
  });
  socket.once('close', () => stop());
}

/** If the process was busy, it first reads what arrived meanwhile: in Node's event loop timers run before sockets. */
function after(span: number, act: () => void): () => void {
  const timer = setTimeout(() => setImmediate(act), span);
  timer.unref();
  return () => clearTimeout(timer);
}

function give(socket: Socket, why: string): void {
  socket.destroy(Object.assign(new Error(`the connection ${why}`), { code: 'ETIMEDOUT' }));
}
