import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/** Below what systems give to connections and to whoever asks for any port: from 32768 on Linux, from 49152 elsewhere. */
const lowest = 20_000;
const highest = 32_766;

/**
 * Ports of 127.0.0.1 that nobody has, all different. Who asks here for some while this process lives gets others: the port
 * below each stays taken, as the mark of it.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const mark = await listen(2 * randomInt(lowest / 2, highest / 2)).catch(() => undefined);
    if (mark === undefined) continue;
    mark.unref();
    const port = portOf(mark) + 1;
    const probe = await listen(port).catch(() => undefined);
    if (probe === undefined) continue;
    await new Promise((resolve) => probe.close(resolve));
    ports.push(port);
  }
  return ports;
}

/** A server listening on a port of 127.0.0.1: a free one if none is asked for. */
export function listen(port = 0): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP');
  return address.port;
}
