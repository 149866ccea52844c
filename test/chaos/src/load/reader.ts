import { setTimeout as sleep } from 'node:timers/promises';
import { grpcConnect } from '@causeway/ctl/io';
import { isCausewayError } from '@causeway/model';
import { milliseconds, type Random } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { now } from '../now.ts';
import type { Read } from './reads.ts';

const pause = 200;
/** Much longer than a read should take, but short enough that many are made. */
const patience = milliseconds(5_000);

/** Lists networks like `causeway network list`. Makes new clients for each read, so that nothing is remembered. */
export class Reader {
  readonly #managers: readonly string[];
  readonly #random: Random;
  readonly #connect: ReturnType<typeof grpcConnect>;

  constructor(managers: readonly string[], operator: ChannelCredentials, random: Random) {
    this.#connect = grpcConnect({ credentials: async () => operator, clock: systemClock, actor: 'chaos' });
    this.#managers = managers;
    this.#random = random;
  }

  async run(stop: AbortSignal, write: (read: Read) => void): Promise<void> {
    while (!stop.aborted) {
      write(await this.#read());
      await sleep(pause);
    }
  }

  async #read(): Promise<Read> {
    const call = now();
    const settings = { managers: this.#shuffled(), socket: '', timeout: patience };
    const clients = this.#connect(settings, new AbortController().signal);
    try {
      await clients.managers.listNetworks({
        atLeast: 0n,
        pageSize: 0,
        pageToken: '',
        labelSelector: '',
        fieldSelector: '',
      });
      return { call, end: now() };
    } catch (error) {
      return { call, end: now(), failure: isCausewayError(error) ? error.code : String(error) };
    } finally {
      clients.close();
    }
  }

  /** An operator may have any of the managers first in the list. */
  #shuffled(): readonly string[] {
    const at = Math.floor(this.#random.float() * this.#managers.length);
    return [...this.#managers.slice(at), ...this.#managers.slice(0, at)];
  }
}
