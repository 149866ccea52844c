import { join } from 'node:path';
import { formatPeer } from '../name.ts';
import type { PeerRemoval, Removals } from '../verify.ts';
import { readSecretFile, writeSecretFile } from './secret-file.ts';

/** A manager that was removed, or has joined again. */
export interface RemovedManager extends PeerRemoval {
  readonly name: string;
}

/** Most that are kept: a cluster has few managers. */
const most = 1_000;

/**
 * The managers that a member must not trust any more, as managers have told it. Kept on disk, beside the member's credential. What was
 * learned is not taken back: a removed manager would say that nothing was removed. Only when a manager that is wrong, or that another has
 * taken over, has filled the list with names, those go that were not told for longest: the managers tell all removals again and again.
 */
export class RemovedManagers {
  readonly #path: string;
  /** Those that were told last are last. */
  readonly #peers: Map<string, PeerRemoval>;
  #isKept = true;
  #writing: Promise<void> = Promise.resolve();
  /** The form in which certificates are verified. */
  readonly removals: Removals;

  private constructor(path: string, known: readonly RemovedManager[]) {
    this.#path = path;
    this.#peers = new Map(known.map(({ name, ...removal }) => [peerOf(name), removal]));
    this.removals = { peers: this.#peers, serials: new Set() };
  }

  /** `directory`: of the credential. A file that is damaged counts as empty: the managers tell again. @throws CausewayError key-exposed */
  static async open(directory: string): Promise<RemovedManagers> {
    const path = join(directory, 'removed-managers.json');
    return new RemovedManagers(path, parse((await readSecretFile(path)) ?? '[]'));
  }

  /** Returns whether there is news. It counts at once; durable when the promise resolves. */
  async learn(told: readonly RemovedManager[]): Promise<boolean> {
    let isNews = false;
    for (const { name, at, isUntilJoin } of told) {
      const peer = peerOf(name);
      const known = this.#peers.get(peer);
      const isKnown = known !== undefined && !isLater({ at, isUntilJoin }, known);
      isNews ||= !isKnown;
      this.#peers.delete(peer);
      this.#peers.set(peer, isKnown ? known : { at, isUntilJoin });
    }
    for (const peer of [...this.#peers.keys()].slice(0, -most)) this.#peers.delete(peer);
    if (isNews) this.#isKept = false;
    if (!this.#isKept) await this.#keep();
    return isNews;
  }

  /** One after another, so that the file has the latest in the end. What could not be written is written at the next `learn`. */
  async #keep(): Promise<void> {
    const writing = this.#writing.then(async () => {
      const all = [...this.#peers].map(([peer, removal]) => ({ name: peer.replace(/^manager\//, ''), ...removal }));
      this.#isKept = true;
      await writeSecretFile(this.#path, `${JSON.stringify(all)}\n`).catch((error: unknown) => {
        this.#isKept = false;
        throw error;
      });
    });
    this.#writing = writing.catch(() => undefined);
    await writing;
  }
}

function peerOf(manager: string): string {
  return formatPeer({ role: 'manager', id: manager });
}

/** A manager that has joined again is told with a later time. */
function isLater({ at, isUntilJoin }: PeerRemoval, known: PeerRemoval): boolean {
  return at > known.at || (at === known.at && isUntilJoin && !known.isUntilJoin);
}

function parse(text: string): readonly RemovedManager[] {
  try {
    const json: unknown = JSON.parse(text);
    return Array.isArray(json) ? json.flatMap(read) : [];
  } catch {
    return [];
  }
}

function read(json: unknown): RemovedManager[] {
  const { name, at, isUntilJoin } = (json ?? {}) as Partial<Record<keyof RemovedManager, unknown>>;
  if (typeof name !== 'string' || typeof at !== 'number') return [];
  return [{ name, at, isUntilJoin: isUntilJoin === true }];
}
