import { messageOf, type NodeId } from '@causeway/model';
import { nodeKeysFromMessage, nodeKeysToMessage } from '@causeway/proto';
import { PeerKeys } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Log } from '@causeway/runtime';
import { AbFile } from '../disk/ab-file.ts';
import type { Files } from '../disk/files.ts';
import type { SentKeys } from './news.ts';

/**
 * The signed records of this host and of its peers, in the data directory. An agent that starts without managers knows from them
 * whose SAs the kernel has. They were verified when they were written, and contain nothing secret.
 */
export class RecordsFile {
  readonly #file: AbFile;
  readonly #log: Log;
  #saved: readonly SentKeys[] = [];
  /** What `#saved` is, in short. */
  #print = '';
  #isFailing = false;

  constructor(modules: { readonly files: Files; readonly log: Log }) {
    this.#file = new AbFile(modules, { kind: 'encryption' });
    this.#log = modules.log;
  }

  /** Records that cannot be read do not prevent the start: the managers send them again. */
  async load(): Promise<readonly SentKeys[]> {
    try {
      const bytes = await this.#file.load();
      if (bytes === undefined) return [];
      const { peers } = PeerKeys.fromBinary(bytes);
      this.#saved = peers.flatMap(({ keys, dataPath }) =>
        keys ? [{ keys: nodeKeysFromMessage(keys), dataPath }] : [],
      );
      this.#print = printOf(this.#saved);
      return this.#saved;
    } catch (error) {
      this.#log.error('ledger.damaged', { file: 'encryption', message: messageOf(error) });
      return [];
    }
  }

  /**
   * Resolves when the records survive the end of this process. Records that are there already are not written again. A failure is logged and does not stop the agent: without the
   * records, the next agent changes no SA until the managers have sent them.
   */
  async save(records: readonly SentKeys[]): Promise<void> {
    const print = printOf(records);
    if (print !== this.#print) await this.#write(records, print);
  }

  /** See `restoreFiles`. */
  async keep(): Promise<void> {
    await this.#file.keep(() => this.#write(this.#saved, this.#print));
  }

  async #write(records: readonly SentKeys[], print: string): Promise<void> {
    try {
      await this.#file.save(encode(records));
      this.#saved = records;
      this.#print = print;
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#log.warn('ledger.not-written', { file: 'encryption', message: messageOf(error) });
      this.#isFailing = true;
    }
  }
}

/** A node signs each version once. */
function printOf(records: readonly SentKeys[]): string {
  return records.map(({ keys, dataPath }) => `${keys.node} ${keys.index} ${keys.version} ${dataPath}`).join('\n');
}

function encode(records: readonly SentKeys[]): Uint8Array {
  const peers = records.map(({ keys, dataPath }) => ({ keys: nodeKeysToMessage(keys), dataPath }));
  return PeerKeys.toBinary({ complete: true, peers, removedNodeIds: [] as NodeId[] });
}
