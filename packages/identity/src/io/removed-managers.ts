import { join } from 'node:path';
import { formatPeer } from '../name.ts';
import type { PeerRemoval, Removals } from '../verify.ts';
import { readSecretFile, writeSecretFile } from './secret-file.ts';

/** A manager that was removed, or has joined again. */
export interface RemovedManager extends PeerRemoval {
  readonly name: string;
}

/** More are not kept: a cluster has few managers. */
const most = 1_000;

/**
 * The managers that a member must not trust any more, as managers have told it. Kept on disk, beside the member's credential. What was
 * learned is never forgotten: a removed manager would say that nothing was removed.
 */
export class RemovedManagers {
  readonly #path: string;
  readonly #peers: Map<string, PeerRemoval>;
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
    const news = told.filter((each) => isLater(each, this.#peers.get(peerOf(each.name))));
    if (news.length === 0 || this.#peers.size + news.length > most) return false;
    for (const { name, at, isUntilJoin } of news) this.#peers.set(peerOf(name), { at, isUntilJoin });
    const all = [...this.#peers].map(([peer, removal]) => ({ name: peer.replace(/^manager\//, ''), ...removal }));
    await writeSecretFile(this.#path, `${JSON.stringify(all)}\n`);
    return true;
  }
}

function peerOf(manager: string): string {
  return formatPeer({ role: 'manager', id: manager });
}

/** A manager that has joined again is told with a later time. */
function isLater({ at, isUntilJoin }: PeerRemoval, known: PeerRemoval | undefined): boolean {
  return known === undefined || at > known.at || (at === known.at && isUntilJoin && !known.isUntilJoin);
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
