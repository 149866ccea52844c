import type { Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type CausewayError, formatRefusal, type Result } from '@causeway/model';
import { CallCredentials, ChannelCredentials, type experimental } from '@grpc/grpc-js';
import { nameOf } from '../credential.ts';
import type { Pin } from '../trust.ts';
import { checkPeer, type Expected, type Peer, type Removals, verifyPinned } from '../verify.ts';
import type { LiveCredential } from './live-credential.ts';
import { contextOf, joinerContext, protocol, sentBy, verifySocket } from './tls.ts';

/** By what a client verifies the server. Host names do not count: a manager may have any address. */
type Client =
  /** A member of a cluster. `expected` is asked at each connection. */
  | { readonly credential: LiveCredential; readonly expected: () => Expected }
  /** A joiner, which has no certificate and knows only the pin in its token. `now`: Unix ms. */
  | { readonly pin: Pin; readonly now: () => number };

/**
 * Credentials of a gRPC channel. Each connection uses the credential of the moment, so a renewed certificate is used from
 * the next connection on. Until the server is verified, nothing but the handshake is sent. A call whose server is refused
 * fails with the status "unavailable", whose text `parseRefusal` reads.
 */
export class ClientCredentials extends ChannelCredentials {
  readonly #client: Client;
  /** The open connections to managers. */
  readonly #sockets = new Map<TLSSocket, Peer>();

  constructor(client: Client) {
    super();
    this.#client = client;
  }

  /**
   * For the connections of a member of a cluster to the managers of that cluster. `now`: Unix ms. `removals`: the managers that
   * were removed, as far as the member knows; absent: it knows of none.
   */
  static toManagers(credential: LiveCredential, now: () => number, removals?: () => Removals): ClientCredentials {
    const { cluster } = nameOf(credential.current);
    const expected = (): Expected => {
      const { chain, trust } = credential.current;
      const removed = removals === undefined ? {} : { removals: removals() };
      return { cluster, roles: ['manager'], trust, now: now(), own: chain[0], ...removed };
    };
    return new ClientCredentials({ credential, expected });
  }

  /** Ends the connections to managers that would be refused by now, as those that were removed. Returns their number. */
  cutUnwelcome(): number {
    const client = this.#client;
    if ('pin' in client) return 0;
    const expected = client.expected();
    const unwelcome = [...this.#sockets].filter(([, peer]) => !checkPeer(peer, expected).ok);
    for (const [socket] of unwelcome) socket.destroy();
    return unwelcome.length;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    _target: unknown,
    _options: unknown,
    callCredentials?: CallCredentials,
  ): experimental.SecureConnector {
    return {
      connect: async (socket) => ({ socket: await this.#secure(socket), secure: true }),
      waitForReady: async () => {},
      getCallCredentials: () => callCredentials ?? CallCredentials.createEmpty(),
      destroy: () => {},
    };
  }

  async #secure(socket: Socket): Promise<TLSSocket> {
    const secured = await shakeHands({ socket, ...this.#options() });
    const verdict = this.#judge(secured);
    if (verdict.ok) {
      this.#sockets.set(secured, verdict.value);
      secured.once('close', () => this.#sockets.delete(secured));
      return secured;
    }
    secured.destroy();
    throw new Error(formatRefusal(verdict.error), { cause: verdict.error });
  }

  #judge(socket: TLSSocket): Result<Peer, CausewayError> {
    const sent = sentBy(socket);
    if (!sent.ok) return sent;
    const client = this.#client;
    if ('pin' in client) return verifyPinned(sent.value, client.pin, client.now());
    return verifySocket(socket, sent.value, client.expected());
  }

  #options(): ConnectionOptions {
    const secureContext = 'pin' in this.#client ? joinerContext() : contextOf(this.#client.credential.current);
    // The verdict is read after the handshake, so that the error says more than OpenSSL's code.
    return {
      secureContext,
      ALPNProtocols: [protocol],
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    };
  }
}

function shakeHands(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(options, () => {
      socket.off('close', onClose);
      if (socket.alpnProtocol === protocol) return resolve(socket);
      socket.destroy();
      reject(new Error('the server does not speak HTTP/2 over TLS'));
    });
    const onClose = (): void => reject(new Error('the connection ended during the TLS handshake'));
    socket.once('close', onClose);
    socket.on('error', reject);
  });
}
