import type { PeerCertificate, TLSSocket } from 'node:tls';
import { CausewayError } from '@causeway/model';
import { type ConnectionInjector, type Server, ServerCredentials, type ServerUnaryCall } from '@grpc/grpc-js';
import type { Expected, Peer } from '../verify.ts';
import { unparsed } from '../x509/certificate.ts';
import type { LiveCredential } from './live-credential.ts';
import { Strangers } from './strangers.ts';
import { sentBy, verifySocket } from './tls.ts';
import { TlsAcceptor } from './tls-acceptor.ts';

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
  readonly #acceptor: TlsAcceptor;
  readonly #injector: ConnectionInjector;
  readonly #settings: ListenerSettings;
  readonly #sockets = new Map<TLSSocket, Caller>();
  readonly #strangers = new Strangers();

  constructor({ server, credential, expected }: ListenerModules, settings: ListenerSettings) {
    this.#settings = settings;
    // The connection that the injector gets is already secured.
    this.#injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    const secured = (socket: TLSSocket): boolean => this.#accept(socket, expected);
    this.#acceptor = new TlsAcceptor({ credential, secured });
  }

  /** Returns the port. Rejects with the error of the socket when it cannot listen. */
  start(): Promise<number> {
    return this.#acceptor.start(this.#settings);
  }

  /** Ends the connections of peers that are no longer welcome. Returns their number. */
  cut(isUnwelcome: (peer: Peer) => boolean): number {
    const unwelcome = [...this.#sockets].filter(([, caller]) => caller.kind === 'peer' && isUnwelcome(caller.peer));
    for (const [socket] of unwelcome) socket.destroy();
    return unwelcome.length;
  }

  /** Accepts no further connections. Those that are open end when the gRPC server is shut down. */
  stop(): void {
    this.#acceptor.stop();
    this.#strangers.stop();
  }

  #accept(socket: TLSSocket, expected: () => Expected): boolean {
    const caller = identify(socket, expected);
    const ticket = { raw: Buffer.alloc(0) };
    callers.set(ticket, caller);
    Object.defineProperties(socket, {
      authorized: { value: true },
      getPeerCertificate: { value: () => ticket },
    });
    this.#sockets.set(socket, caller);
    if (caller.kind !== 'peer') this.#strangers.watch(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    this.#injector.injectConnection(socket);
    return caller.kind === 'peer';
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
  if (!verdict.ok) return { kind: 'refused', error: verdict.error };
  const { name, certificate } = verdict.value;
  return { kind: 'peer', peer: { name, certificate: unparsed(certificate) } };
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
