import {
  CausewayError,
  type FeedVersion,
  feedOf,
  feedRange,
  isCausewayError,
  messageOf,
  type NetworkId,
} from '@causeway/model';
import { Complete } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { type Clock, type Duration, type Log, milliseconds, seconds, Worker } from '@causeway/runtime';
import { Interner, type Table } from '../tables/table.ts';
import { tableFromMessage, tableParts } from '../tables/table-codec.ts';
import type { Tables } from '../tables/tables.ts';
import type { Files } from './files.ts';
import { decodeFrame, FrameDraft } from './frame.ts';

/**
 * Delay from a change to the write of the table. While changes go on, the delay is fifty times the duration of the last
 * write, so that writes take less than a fiftieth of the agent's time, however large the table is. The next session
 * brings what a crash loses.
 */
const soonest = milliseconds(250);
const latest = seconds(10);
const writingsInPause = 50;
/** Delay after a failed write. */
const retry = seconds(5);

const prefix = 'network-';

/** Keeps the table of every network on disk, so that a restarted agent has the tables before it reaches a manager. */
export class Ledger {
  readonly #files: Files;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #tables: Tables;
  readonly #dirty = new Set<NetworkId>();
  readonly #writer = new Worker((signal) => this.#write(signal));
  readonly #feeds: readonly FeedVersion[];
  #failing = false;
  #pause: Duration = soonest;

  constructor(
    modules: { readonly files: Files; readonly clock: Clock; readonly log: Log; readonly tables: Tables },
    settings: { readonly feeds: readonly FeedVersion[] },
  ) {
    this.#feeds = settings.feeds;
    this.#files = modules.files;
    this.#clock = modules.clock;
    this.#log = modules.log;
    this.#tables = modules.tables;
  }

  /**
   * Fills the tables from disk, then follows their changes. Leaves out a table that is damaged, or that a newer agent
   * wrote in a format which this agent cannot read. The next session brings the whole table, and until then the kernel
   * keeps what it has of the network.
   */
  async start(): Promise<void> {
    const interner = new Interner();
    for (const name of await this.#files.list()) {
      if (!name.startsWith(prefix)) continue;
      try {
        this.#tables.replace(await this.#read(name, interner));
      } catch (error) {
        const event = isCausewayError(error, 'data-damaged') ? 'ledger.damaged' : 'ledger.not-understood';
        this.#log.warn(event, { file: name, message: messageOf(error) });
      }
    }
    this.#tables.onChange((change) => {
      this.#dirty.add(change.networkId);
      void this.#writer.poke();
    });
  }

  /** Writes once what is not on disk yet. */
  async stop(): Promise<void> {
    await this.#writer.stop();
    await this.#flush();
  }

  async #read(name: string, interner: Interner): Promise<Table> {
    const bytes = await this.#files.read(name);
    if (bytes === undefined) throw new CausewayError('data-damaged', 'the file went away');
    const frame = decodeFrame(bytes);
    if (!frame.ok) throw frame.error;
    const message = Complete.fromBinary(frame.value.payload);
    if (`${prefix}${message.network?.id}` !== name) throw new CausewayError('data-damaged', 'holds another network');
    const feed = feedOf(this.#feeds, message.feedVersion);
    if (feed === undefined) {
      const own = feedRange(this.#feeds.map(({ number }) => number));
      throw new CausewayError(
        'data-too-new',
        `written in feed version ${message.feedVersion}, this agent reads ${own}`,
      );
    }
    return await tableFromMessage(message, feed, interner, () => this.#clock.yield());
  }

  async #write(signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(this.#failing ? retry : this.#pause, signal);
    if (signal.aborted) return;
    const began = this.#clock.now();
    await this.#flush();
    const took = this.#clock.now() - began;
    this.#pause = milliseconds(Math.min(Math.max(took * writingsInPause, soonest), latest));
    if (this.#dirty.size > 0) void this.#writer.poke();
  }

  async #flush(): Promise<void> {
    for (const networkId of [...this.#dirty]) {
      this.#dirty.delete(networkId);
      try {
        await this.#save(networkId);
        this.#failing = false;
      } catch (error) {
        this.#dirty.add(networkId);
        if (!this.#failing) this.#log.warn('ledger.not-written', { networkId, ...describe(error) });
        this.#failing = true;
      }
    }
  }

  async #save(networkId: NetworkId): Promise<void> {
    const table = this.#tables.get(networkId);
    if (table === undefined) return await this.#files.remove(`${prefix}${networkId}`);
    const frame = new FrameDraft({ kind: 'network', sequence: 0 });
    for (const part of tableParts(table)) {
      frame.add(part);
      await this.#clock.yield();
    }
    await this.#files.write(`${prefix}${networkId}`, frame.finish());
  }
}

function describe(error: unknown): { code: string; message: string } {
  return { code: isCausewayError(error) ? error.code : 'internal', message: String(error) };
}
