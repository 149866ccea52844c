import { createServer, type PeerCertificate, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { CausewayError } from '@causeway/model';
import { type ConnectionInjector, type Server, ServerCredentials, type ServerUnaryCall } from '@grpc/grpc-js';
import type { Expected, Peer } from '../verify.ts';
import type { LiveCredential } from './live-credential.ts';
import { contextOptions, protocol, sentBy, verifySocket } from './tls.ts';

/** Milliseconds. A client that is this slow holds a socket for nothing. */
const handshakeTimeout = 5_000;

/**
 * Limits of all connections without an accepted certificate. A stranger needs a connection for a request of 1 KiB. Without
 * limits one stranger could send thousands of requests that never end, each of which the gRPC server would hold.
 */
const strangers = {
  /** If there are more, the oldest are ended. */
  most: 256,
  /** Bytes that a connection may send. */
  bytes: 256 * 1024,
  /** Milliseconds that a connection may last. */
  life: 60_000,
} as const;
/** Milliseconds. How often the limits are checked: in this time little more arrives than a network carries. */
const checkEvery = 100;

/** Who is at the other end of a connection. A host that wants to join has no certificate yet. */
type Caller =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'peer'; readonly peer: Peer }
  | { readonly kind: 'refused'; readonly error: CausewayError };

/**
 * grpc-js gives a call no connection, only what `getPeerCertificate` of its socket returns, if the socket is `authorized`.
 * So each socket gets an object of its own, by which `callers` finds the caller. Nothing else may rely on
 * `authorized` or on the object, which contains no certificate.
 */
const callers = new WeakMap<object, Caller>();

interface ListenerModules {
  /** Serves the calls. It need not be bound to a port. */
  readonly server: Server;
  readonly credential: LiveCredential;
  /** What callers must be. Asked at each connection. */
  readonly expected: () => Expected;
}

interface ListenerSettings {
  readonly host: string;
  /** 0: the kernel chooses a free port. */
  readonly port: number;
}

/**
 * Accepts the TLS connections of a gRPC server. A client may show a certificate; `peerOf` gives the peer of each
 * call. A refused certificate does not end the connection, because only the answer to a call can say why.
 */
export class PeerListener {
  readonly #tls: TlsServer;
  readonly #injector: ConnectionInjector;
  readonly #settings: ListenerSettings;
  readonly #sockets = new Map<TLSSocket, Caller>();
  /** Connections without an accepted certificate, the oldest first, and when each is to end. */
  readonly #strangers = new Map<TLSSocket, number>();
  #checking: NodeJS.Timeout | undefined;
  #isStopped = false;
  readonly #unsubscribe: () => void;

  constructor({ server, credential, expected }: ListenerModules, settings: ListenerSettings) {
    this.#settings = settings;
    // The connection that the injector gets is already secured.
    this.#injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#tls = createServer({
      ...contextOptions(credential.current),
      ALPNProtocols: [protocol],
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout,
    });
    this.#tls.on('secureConnection', (socket) => this.#accept(socket, expected));
    // Node reports a handshake that takes too long, and leaves the connection open.
    this.#tls.on('tlsClientError', (_error, socket) => socket.destroy());
    this.#unsubscribe = credential.onReplace(() => this.#tls.setSecureContext(contextOptions(credential.current)));
  }

  /** Returns the port. Rejects with the error of the socket when it cannot listen. */
  start(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#tls.once('error', reject);
      this.#tls.listen(this.#settings, () => {
        this.#tls.off('error', reject);
        const address = this.#tls.address();
        resolve(address !== null && typeof address === 'object' ? address.port : 0);
      });
    });
  }

  /** Ends the connections of peers that are no longer welcome. Returns their number. */
  cut(isUnwelcome: (peer: Peer) => boolean): number {
    const unwelcome = [...this.#sockets].filter(([, caller]) => caller.kind === 'peer' && isUnwelcome(caller.peer));
    for (const [socket] of unwelcome) socket.destroy();
    return unwelcome.length;
  }

  /** Accepts no further connections. Those that are open end when the gRPC server is shut down. */
  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#checking);
    this.#unsubscribe();
    this.#tls.close();
  }

  #accept(socket: TLSSocket, expected: () => Expected): void {
    if (this.#isStopped) return void socket.destroy();
    const caller = identify(socket, expected);
    const ticket = { raw: Buffer.alloc(0) };
    callers.set(ticket, caller);
    Object.defineProperties(socket, {
      authorized: { value: true },
      getPeerCertificate: { value: () => ticket },
    });
    this.#sockets.set(socket, caller);
    if (caller.kind !== 'peer') this.#watch(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#strangers.delete(socket);
    });
    socket.on('error', () => socket.destroy());
    this.#injector.injectConnection(socket);
  }

  #watch(socket: TLSSocket): void {
    this.#strangers.set(socket, performance.now() + strangers.life);
    const [oldest] = this.#strangers.keys();
    if (this.#strangers.size > strangers.most) oldest?.destroy();
    this.#checking ??= setInterval(() => this.#check(), checkEvery).unref();
  }

  #check(): void {
    const now = performance.now();
    for (const [socket, end] of this.#strangers) if (end <= now || socket.bytesRead > strangers.bytes) socket.destroy();
    if (this.#strangers.size > 0) return;
    clearInterval(this.#checking);
    this.#checking = undefined;
  }
}

/** Never throws, because the certificate is a stranger's: an error here would end the server. */
function identify(socket: TLSSocket, expected: () => Expected): Caller {
  try {
    return callerOf(socket, expected());
  } catch (cause) {
    const error = new CausewayError('certificate-invalid', 'the certificate cannot be verified', {}, { cause });
    return { kind: 'refused', error };
  }
}

function callerOf(socket: TLSSocket, expected: Expected): Caller {
  const sent = sentBy(socket);
  if (!sent.ok) return { kind: 'refused', error: sent.error };
  if (sent.value.length === 0) return { kind: 'anonymous' };
  const verdict = verifySocket(socket, sent.value, expected);
  return verdict.ok ? { kind: 'peer', peer: verdict.value } : { kind: 'refused', error: verdict.error };
}

/** A call that a `PeerListener` let in. */
type IncomingCall = Pick<ServerUnaryCall<unknown, unknown>, 'getAuthContext'>;

/**
 * The peer that makes the call. Undefined: the caller has shown no certificate.
 * @throws CausewayError the rule that the certificate breaks; internal: the call came by another way
 */
export function peerOf(call: IncomingCall): Peer | undefined {
  const ticket: PeerCertificate | undefined = call.getAuthContext().sslPeerCertificate;
  const caller = ticket && callers.get(ticket);
  if (caller === undefined) throw new CausewayError('internal', 'the call did not come by a connection of the cluster');
  if (caller.kind === 'refused') throw caller.error;
  return caller.kind === 'peer' ? caller.peer : undefined;
}
