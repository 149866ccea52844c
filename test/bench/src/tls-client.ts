import { once } from 'node:events';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';

export interface TlsTarget {
  /** HOST:PORT. */
  readonly address: string;
  readonly secureContext: SecureContext;
  /** Address of this host from which to connect; absent: the kernel chooses. */
  readonly localAddress?: string;
}

/** A TLS connection to a server that is known by its certificate's name in the cluster, not by its address. */
export function connectSecured({ address, secureContext, localAddress }: TlsTarget): TLSSocket {
  const [host = '', port = ''] = address.split(':');
  const verified = { rejectUnauthorized: false, checkServerIdentity: () => undefined };
  const from = localAddress === undefined ? {} : { localAddress };
  return connect({ host, port: Number(port), secureContext, ALPNProtocols: ['h2'], ...verified, ...from });
}

/** Connects, waits until the server has sent something, which it does when it has verified the client, and ends. */
export async function shakeHands(target: TlsTarget): Promise<void> {
  const socket = connectSecured(target);
  try {
    // An end without data is a refusal, too: `once` would wait for ever.
    await Promise.race([once(socket, 'data'), once(socket, 'close').then(refuse)]);
  } finally {
    socket.destroy();
  }
}

function refuse(): never {
  throw new Error('the connection ended before the server sent anything');
}
