import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** A server that is there takes a connection, and says the first word on it, within milliseconds. */
export const connectWithin = 1_000;

/** Published by Node for every client socket (node:diagnostics_channel, "net.client.socket"). */
const channel = 'net.client.socket';

/**
 * From now on a connection of this process that is not taken within the limit, or on which the other end then says
 * nothing, fails as one that is refused does. Whoever wanted it tries again with a fresh one.
 *
 * Without it a connection to a host that drops packets stays in `connect` for as long as the kernel repeats its SYN, at
 * growing intervals: it is found open up to 64 s after the path came back (tcp(7), tcp_syn_retries), and keeps the process
 * alive meanwhile. One to a stopped process is taken by the kernel on its behalf and stays silent. gRPC sets no limit to
 * either, and goes on with the old socket even when its client is closed. For processes whose connections are all of
 * protocols in which the server speaks as soon as it is there, as in HTTP/2. Returns the way to end it.
 */
export function limitConnects(within = connectWithin): () => void {
  const limit = (message: unknown): void => watch((message as { readonly socket: Socket }).socket, within);
  subscribe(channel, limit);
  return () => unsubscribe(channel, limit);
}

function watch(socket: Socket, within: number): void {
  let stop = after(within, () => {
    if (socket.connecting) give(socket, `is not taken within ${within} ms: no answer to connect`);
  });
  socket.once('connect', () => {
    stop();
    stop = after(within, () => {
      if (socket.bytesRead === 0) give(socket, `is taken, and the server says nothing for ${within} ms`);
    });
  });
  socket.once('close', () => stop());
}

/** A process that was busy all the time first hears what came meanwhile: timers are before sockets in Node's event loop. */
function after(span: number, act: () => void): () => void {
  const timer = setTimeout(() => setImmediate(act), span);
  timer.unref();
  return () => clearTimeout(timer);
}

function give(socket: Socket, why: string): void {
  socket.destroy(Object.assign(new Error(`the connection ${why}`), { code: 'ETIMEDOUT' }));
}
