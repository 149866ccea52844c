import { connect, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { ManagerClient } from './clients.ts';
import type { Servers } from './servers.ts';
import { shakeHands } from './tls-client.ts';
import { numbers, pause, timed } from './work.ts';

/** Addresses of this host from which the clients come. */
const sources = 64;
/** An attacker's connections that never begin a handshake, all from one address. */
const halfOpen = 500;
/** Pause of a client whose connection was refused: as that of an agent. */
const pauseOf = (): number => 250 + Math.random() * 250;

export interface Storm {
  /** From the first connection to the end of the last handshake, ms. */
  readonly took: number;
  /** The leader's lease was lost meanwhile. */
  readonly isLeaderLost: boolean;
}

/** So many clients connect together, as agents do after a restart of the manager, beside an attacker's connections. */
export async function storm(servers: Servers, secureContext: SecureContext, clients: number): Promise<Storm> {
  const { address } = servers;
  const client = new ManagerClient(address, servers.members.forwarder());
  const ledSince = async (): Promise<bigint | undefined> => (await client.status(10_000)).leader?.sinceMs;
  const before = await ledSince();
  const [host = '', port = ''] = address.split(':');
  const silent = numbers(halfOpen).map(() => hold({ host, port: Number(port), localAddress: '127.0.3.1' }));
  try {
    const took = await timed(() =>
      Promise.all(
        numbers(clients).map((i) => insist({ address, secureContext, localAddress: `127.0.2.${1 + (i % sources)}` })),
      ),
    );
    return { took, isLeaderLost: (await ledSince()) !== before };
  } finally {
    for (const socket of silent) socket.destroy();
    client.close();
  }
}

/** Tries again until the handshake is done. */
async function insist(target: Parameters<typeof shakeHands>[0]): Promise<void> {
  for (;;) {
    try {
      await shakeHands(target);
      return;
    } catch {
      await pause(pauseOf());
    }
  }
}

function hold(at: { readonly host: string; readonly port: number; readonly localAddress: string }): Socket {
  return connect(at)
    .on('error', () => undefined)
    .resume();
}
