import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, isIPv6, type Server, type Socket } from 'node:net';
import type { Effect, NetworkInput, StreamId } from '../swim/effect.ts';
import type { Address } from '../swim/member.ts';
import type { Bytes } from '../wire/bytes.ts';
import { formatIp, parseIp } from './ip.ts';

/** memberlist asks for as much. The kernel may grant less; then bursts are lost sooner. */
const receiveBuffer = 2 * 1024 * 1024;

/** How often a free port is sought that both UDP and TCP can have. */
const portAttempts = 10;

export type NetworkEffect = Extract<Effect, { readonly type: 'datagram' | 'connect' | 'reply' | 'close' }>;

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ETIMEDOUT: 'timeout',
};

/** A UDP socket and a TCP server on one port, and the streams of a node. Turns what happens into inputs. */
export class Sockets {
  readonly port: number;
  readonly #udp: UdpSocket;
  readonly #server: Server;
  /** Streams that the core knows. */
  readonly #streams = new Map<StreamId, Socket>();
  /** All sockets that are open, also those whose last bytes are under way. */
  readonly #open = new Set<Socket>();
  readonly #idleTimeout: number;
  /** What streams leave from, as datagrams do; undefined: the node listens on all addresses. */
  readonly #localAddress: string | undefined;
  #give: (input: NetworkInput) => void = () => undefined;
  #accepted = 1;

  private constructor(udp: UdpSocket, server: Server, address: string, idleTimeout: number) {
    this.#localAddress = address === '0.0.0.0' || address === '::' ? undefined : address;
    this.#udp = udp;
    this.#server = server;
    this.#idleTimeout = idleTimeout;
    this.port = udp.address().port;
  }

  /** `port` 0: any that is free. `idleTimeout`: after so many milliseconds without a byte a stream is given up. */
  static async open(address: string, port: number, idleTimeout: number): Promise<Sockets> {
    for (let attempt = 1; ; attempt++) {
      const server = createServer({ allowHalfOpen: true });
      try {
        server.listen({ host: address, port });
        await once(server, 'listening');
        const bound = server.address();
        const udp = await openUdp(address, typeof bound === 'object' ? (bound?.port ?? port) : port);
        return new Sockets(udp, server, address, idleTimeout);
      } catch (error) {
        server.close();
        // TCP gave a port that UDP does not have: try another.
        const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
        if (port !== 0 || !isTaken || attempt === portAttempts) throw error;
      }
    }
  }

  /** From now on, inputs go there. */
  start(give: (input: NetworkInput) => void): void {
    this.#give = give;
    this.#udp.on('message', (bytes, { address, port }) => {
      const addr = parseIp(address);
      // Port 0 is of no socket. An answer to it would make `send` throw.
      if (addr !== undefined && port > 0) this.#give({ type: 'datagram', from: { addr, port }, bytes: plain(bytes) });
    });
    // A datagram that could not be sent is a lost datagram, which the protocol expects.
    this.#udp.on('error', () => undefined);
    // A connection could not be accepted, as when no file descriptor is left: the other node tries again.
    this.#server.on('error', () => undefined);
    this.#server.on('connection', (socket) => {
      const addr = parseIp(socket.remoteAddress ?? '');
      if (addr === undefined) {
        socket.destroy();
        return;
      }
      const stream = this.#accepted;
      this.#accepted += 2;
      this.#attach(stream, socket);
      this.#give({ type: 'accepted', stream, from: { addr, port: socket.remotePort ?? 0 } });
    });
  }

  carryOut(effect: NetworkEffect): void {
    switch (effect.type) {
      case 'datagram':
        this.#udp.send(effect.bytes, effect.to.port, formatIp(effect.to.addr), () => undefined);
        break;
      case 'connect':
        this.#connect(effect.stream, effect.to, effect.bytes);
        break;
      case 'reply':
        this.#detach(effect.stream)?.end(effect.bytes);
        break;
      case 'close':
        this.#detach(effect.stream)?.destroy();
        break;
    }
  }

  async close(): Promise<void> {
    this.#give = () => undefined;
    const closed = [once(this.#udp, 'close'), once(this.#server, 'close')];
    for (const socket of this.#open) socket.destroy();
    this.#udp.close();
    this.#server.close();
    await Promise.all(closed);
  }

  #connect(stream: StreamId, { addr, port }: Address, bytes: Bytes): void {
    const localAddress = this.#localAddress;
    const socket = connect({ host: formatIp(addr), port, allowHalfOpen: true, ...(localAddress && { localAddress }) });
    this.#attach(stream, socket);
    socket.write(bytes, (error) => {
      if (!error && this.#streams.get(stream) === socket) this.#give({ type: 'sent', stream });
    });
  }

  #attach(stream: StreamId, socket: Socket): void {
    this.#streams.set(stream, socket);
    this.#open.add(socket);
    const isKnown = (): boolean => this.#streams.get(stream) === socket;
    const lost = (why: string): void => {
      if (!isKnown()) return;
      this.#streams.delete(stream);
      this.#give({ type: 'closed', stream, why });
    };
    socket.setNoDelay(true);
    socket.setTimeout(this.#idleTimeout, () => socket.destroy());
    socket.on('data', (bytes) => {
      if (isKnown()) this.#give({ type: 'received', stream, bytes: plain(bytes) });
    });
    socket.on('error', (error) => lost(reasons['code' in error ? String(error.code) : ''] ?? error.message));
    // A message that is not complete now never will be. The core has answered all others already.
    socket.on('end', () => {
      const isWaiting = isKnown();
      lost('closed');
      if (isWaiting) socket.destroy();
    });
    socket.on('close', () => {
      this.#open.delete(socket);
      lost('closed');
    });
  }

  #detach(stream: StreamId): Socket | undefined {
    const socket = this.#streams.get(stream);
    this.#streams.delete(stream);
    return socket;
  }
}

async function openUdp(address: string, port: number): Promise<UdpSocket> {
  const isV6 = isIPv6(address);
  // Receivers are given by address: without this, each send would wait for a thread of the resolver.
  const lookup = (host: string, _: unknown, found: (error: null, address: string, family: number) => void): void =>
    found(null, host, isV6 ? 6 : 4);
  const udp = createSocket({ type: isV6 ? 'udp6' : 'udp4', lookup });
  try {
    // Before the call: with this lookup, the socket may listen before `bind` returns.
    const listening = once(udp, 'listening');
    udp.bind(port, address);
    await listening;
  } catch (error) {
    udp.close();
    throw error;
  }
  try {
    udp.setRecvBufferSize(receiveBuffer);
  } catch {
    // The default buffer works; it only holds shorter bursts.
  }
  return udp;
}

function plain(bytes: Buffer | string): Bytes {
  if (typeof bytes === 'string') throw new TypeError('sockets without an encoding give bytes');
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
