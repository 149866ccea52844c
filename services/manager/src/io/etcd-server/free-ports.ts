import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/**
 * Below the ports that systems assign to connections and to programs that ask for any port: from 32768 on Linux, from
 * 49152 elsewhere.
 */
const lowest = 20_000;
const highest = 32_766;

/**
 * Ports of 127.0.0.1 that are free, all different. Another caller gets other ports while this process runs: the port
 * below each of them stays taken, as a mark.
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

/** A server that listens on a port of 127.0.0.1; without `port`, on a free port. */
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
