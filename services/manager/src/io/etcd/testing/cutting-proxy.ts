import { connect, type Server, type Socket } from 'node:net';
import { listen, portOf } from '../../etcd-server/free-ports.ts';
import { FrameSplitter } from './frame-splitter.ts';

/** A TCP proxy in front of an etcd member. It can disturb connections as networks do. */
export class CuttingProxy {
  #target: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #reachable = true;
  #losing: 'reply' | 'request' | undefined;
  #replayCuts = 0;

  static async start(targetPort: number): Promise<CuttingProxy> {
    return new CuttingProxy(targetPort, await listen());
  }

  private constructor(target: number, server: Server) {
    this.#target = target;
    this.#server = server;
    server.on('connection', (client) => this.#accept(client));
  }

  get url(): string {
    return `http://127.0.0.1:${portOf(this.#server)}`;
  }

  /** Number of connections so far that were cut between a stream's first reply and the next one. */
  replaysCut = 0;

  /** Breaks every connection; new ones are accepted. */
  cut(): void {
    for (const pair of this.#pairs) pair.destroy();
  }

  /** Breaks every connection; new ones lead to another port. */
  retarget(port: number): void {
    this.#target = port;
    this.cut();
  }

  /**
   * The next `count` connections get two messages from the server (its cluster, and a watch's "created"), and break
   * before the third.
   */
  cutReplays(count: number): void {
    this.#replayCuts = count;
  }

  /** False: breaks every connection and refuses new ones. */
  setReachable(reachable: boolean): void {
    this.#reachable = reachable;
    if (!reachable) this.cut();
  }

  /** Drops all bytes of one direction while the connections stay up: requests do not arrive, or replies do not. */
  setLosing(what: 'reply' | 'request' | undefined): void {
    this.#losing = what;
  }

  async close(): Promise<void> {
    this.setReachable(false);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    if (!this.#reachable) {
      client.destroy();
      return;
    }
    const pair: Pair = { client, server: connect(this.#target, '127.0.0.1'), destroy: () => undefined };
    pair.destroy = () => {
      this.#pairs.delete(pair);
      pair.client.destroy();
      pair.server.destroy();
    };
    this.#pairs.add(pair);
    for (const socket of [pair.client, pair.server]) {
      socket.setNoDelay(true);
      socket.on('error', pair.destroy);
      socket.on('close', pair.destroy);
    }
    pair.client.on('data', (data) => {
      if (this.#losing !== 'request') pair.server.write(data);
    });
    const splitter = this.#replayCuts > 0 ? new FrameSplitter(2) : undefined;
    if (splitter !== undefined) this.#replayCuts--;
    pair.server.on('data', (data) => {
      if (this.#losing === 'reply') return;
      if (splitter === undefined) {
        pair.client.write(data);
        return;
      }
      const { through, ended } = splitter.push(data);
      pair.client.write(through, () => {
        if (ended) pair.destroy();
      });
      if (ended) this.replaysCut++;
    });
  }
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  destroy: () => void;
}
