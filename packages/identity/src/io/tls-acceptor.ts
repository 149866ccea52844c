import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { type HandshakeLimits, Handshakes } from '../handshakes.ts';
import { sourceOf } from '../source.ts';
import type { LiveCredential } from './live-credential.ts';
import { contextOptions, protocol } from './tls.ts';

/** Milliseconds. A client that is this slow holds a socket for nothing. */
const handshakeTimeout = 5_000;

/**
 * Handshakes that begin in one turn of the event loop. Without this limit, thousands of clients that connect together, such as all
 * agents after a restart of this manager, keep the event loop in handshakes for seconds, and a leader loses its lease.
 * Between two turns everything else gets its share.
 */
const startsPerTurn = 8;

const limits: HandshakeLimits = {
  // Some seconds' worth of handshakes. A connection that is refused comes back after a random pause.
  waiting: { perSource: 256, inAll: 1_024 },
  // Clients give up when nothing came for a second (`limitConnects` of proto/io), so a later start is in vain.
  patience: 700,
  // The time of a handshake is that of the network. Half-open connections last until `handshakeTimeout`.
  underWay: { perSource: 64, inAll: 256 },
  // Joiners, clients with a certificate that is not accepted, and attackers: some percent of a CPU for each source.
  unaccepted: { burst: 200, perSecond: 20 },
};

interface AcceptorParts {
  readonly credential: LiveCredential;
  /** Takes over a connection whose handshake is done. Returns whether its peer is accepted. */
  readonly secured: (socket: TLSSocket) => boolean;
}

/** Accepts connections, and does their TLS handshakes at a pace that leaves time for everything else (`Handshakes`). */
export class TlsAcceptor {
  readonly #tcp: Server;
  readonly #tls: TlsServer;
  readonly #secured: (socket: TLSSocket) => boolean;
  readonly #handshakes = new Handshakes<Socket>(limits);
  /** The connections of `#handshakes` by their other end, by which a TLS connection finds the connection below it. */
  readonly #sockets = new Map<string, Socket>();
  readonly #deadlines = new Map<Socket, NodeJS.Timeout>();
  readonly #unsubscribe: () => void;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor({ credential, secured }: AcceptorParts) {
    this.#secured = secured;
    this.#tcp = createServer({ pauseOnConnect: true }, (socket) => this.#arrive(socket));
    this.#tls = createTlsServer({
      ...contextOptions(credential.current),
      ALPNProtocols: [protocol],
      requestCert: true,
      rejectUnauthorized: false,
    });
    this.#tls.on('secureConnection', (socket) => this.#secure(socket));
    this.#tls.on('tlsClientError', (_error, socket) => socket.destroy());
    this.#unsubscribe = credential.onReplace(() => this.#tls.setSecureContext(contextOptions(credential.current)));
  }

  /** Returns the port. Rejects with the error of the socket when it cannot listen. */
  start(at: { readonly host: string; readonly port: number }): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#tcp.once('error', reject);
      this.#tcp.listen(at, () => {
        this.#tcp.off('error', reject);
        const address = this.#tcp.address();
        resolve(address !== null && typeof address === 'object' ? address.port : 0);
      });
    });
  }

  /** Accepts no further connections, and ends those whose handshake is not done. */
  stop(): void {
    this.#unsubscribe();
    this.#tcp.close();
    for (const socket of this.#sockets.values()) socket.destroy();
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
  }

  #arrive(socket: Socket): void {
    const otherEnd = otherEndOf(socket);
    socket.on('error', () => socket.destroy());
    const source = sourceOf(socket.remoteAddress ?? '');
    if (otherEnd === undefined || !this.#handshakes.arrive(socket, source, performance.now()))
      return void socket.resetAndDestroy();
    this.#sockets.set(otherEnd, socket);
    socket.once('close', () => this.#ended(otherEnd, socket));
    this.#wake();
  }

  #ended(otherEnd: string, socket: Socket, outcome?: 'accepted'): void {
    // A client may connect from the same port again before this process notices the end of the former connection.
    if (this.#sockets.get(otherEnd) === socket) this.#sockets.delete(otherEnd);
    clearTimeout(this.#deadlines.get(socket));
    this.#deadlines.delete(socket);
    this.#handshakes.ended(socket, performance.now(), outcome);
    this.#wake();
  }

  /**
   * The TLS connection is made when the client's first bytes are here. Node gives the bytes of a TLS connection a buffer of the size
   * of the first read: of the 64 KiB for which it asks the kernel, or of the bytes that it finds. The buffer stays as long as the
   * connection.
   */
  #begin(socket: Socket): void {
    this.#deadlines.set(
      socket,
      setTimeout(() => socket.destroy(), handshakeTimeout),
    );
    socket.once('readable', () => {
      if (socket.readableLength > 0) this.#tls.emit('connection', socket);
      else socket.destroy();
    });
  }

  #secure(secured: TLSSocket): void {
    const otherEnd = otherEndOf(secured);
    const socket = otherEnd === undefined ? undefined : this.#sockets.get(otherEnd);
    if (otherEnd === undefined || socket === undefined) return void secured.destroy();
    const isAccepted = this.#secured(secured);
    this.#ended(otherEnd, socket, isAccepted ? 'accepted' : undefined);
  }

  #wake(): void {
    clearTimeout(this.#timer);
    this.#immediate ??= setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#immediate = undefined;
    const now = performance.now();
    let started = 0;
    while (started < startsPerTurn) {
      const step = this.#handshakes.next(now);
      if (step.kind === 'wait') {
        this.#sleep(step.until - now);
        return;
      }
      if (step.kind === 'start') {
        step.instead?.destroy();
        this.#begin(step.connection);
        started++;
      } else {
        step.connection.resetAndDestroy();
      }
    }
    this.#wake();
  }

  #sleep(span: number): void {
    if (Number.isFinite(span)) this.#timer = setTimeout(() => this.#wake(), Math.ceil(span)).unref();
  }
}

/** Undefined: the connection has ended. */
function otherEndOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined || remotePort === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}
