import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, connect as openTcp, type Server, type Socket as Stream } from 'node:net';
import type { Decoder, SerfReader } from './serf-reader.ts';

const port = 7946;

/**
 * Stands in front of a node, which advertises the address of the tap: all that other nodes send to the node passes through the
 * tap, and so do the node's answers on streams. No packet is changed.
 */
export class SerfTap {
  readonly #udp: Socket;
  readonly #server: Server;
  readonly #streams = new Set<Stream>();

  private constructor(udp: Socket, server: Server) {
    this.#udp = udp;
    this.#server = server;
  }

  /** `front`: the address of the tap. `back`: the address on which the node listens. */
  static async open(front: string, back: string, reader: SerfReader): Promise<SerfTap> {
    const udp = createSocket('udp4');
    const server = createServer({ allowHalfOpen: true });
    const tap = new SerfTap(udp, server);
    udp.on('message', (bytes) => {
      reader.datagram(bytes);
      udp.send(bytes, port, back);
    });
    server.on('connection', (near) => {
      const far = openTcp({ host: back, port, allowHalfOpen: true });
      tap.#pass(near, far, reader.stream('request'));
      tap.#pass(far, near, reader.stream('reply'));
    });
    udp.bind(port, front);
    server.listen(port, front);
    await Promise.all([once(udp, 'listening'), once(server, 'listening')]);
    return tap;
  }

  close(): void {
    this.#udp.close();
    this.#server.close();
    for (const each of this.#streams) each.destroy();
  }

  #pass(from: Stream, to: Stream, read: Decoder): void {
    this.#streams.add(from);
    from.on('data', (bytes) => read(bytes as Buffer));
    from.on('error', () => to.destroy());
    from.on('close', () => this.#streams.delete(from));
    from.pipe(to);
  }
}
