import { join } from 'node:path';
import { formatPeer } from '../name.ts';
import type { Removals } from '../verify.ts';
import { readSecretFile, writeSecretFile } from './secret-file.ts';

/** A manager that was removed, and up to when its certificates were issued that are refused, Unix ms. */
export interface RemovedManager {
  readonly name: string;
  readonly at: number;
}

/** More are not kept: a cluster has few managers. */
const most = 1_000;

/**
 * The managers that a member must not trust any more, as managers have told it. Kept on disk, beside the member's credential. What was
 * learned is never forgotten: a removed manager would say that nothing was removed.
 */
export class RemovedManagers {
  readonly #path: string;
  readonly #times: Map<string, number>;
  /** The form in which certificates are verified. */
  readonly removals: Removals;

  private constructor(path: string, known: readonly RemovedManager[]) {
    this.#path = path;
    this.#times = new Map(known.map(({ name, at }) => [formatPeer({ role: 'manager', id: name }), at]));
    this.removals = { peers: this.#times, serials: new Set() };
  }

  /** `directory`: of the credential. A file that is damaged counts as empty: the managers tell again. @throws CausewayError key-exposed */
  static async open(directory: string): Promise<RemovedManagers> {
    const path = join(directory, 'removed-managers.json');
    return new RemovedManagers(path, parse((await readSecretFile(path)) ?? '[]'));
  }

  /** Returns whether there is news. It counts at once; durable when the promise resolves. */
  async learn(told: readonly RemovedManager[]): Promise<boolean> {
    const news = told.filter(({ name, at }) => at > (this.#times.get(formatPeer({ role: 'manager', id: name })) ?? -1));
    if (news.length === 0 || this.#times.size + news.length > most) return false;
    for (const { name, at } of news) this.#times.set(formatPeer({ role: 'manager', id: name }), at);
    const all = [...this.#times].map(([peer, at]) => ({ name: peer.replace(/^manager\//, ''), at }));
    await writeSecretFile(this.#path, `${JSON.stringify(all)}\n`);
    return true;
  }
}

function parse(text: string): readonly RemovedManager[] {
  try {
    const json: unknown = JSON.parse(text);
    return Array.isArray(json) ? json.filter(isRemovedManager) : [];
  } catch {
    return [];
  }
}

function isRemovedManager(json: unknown): json is RemovedManager {
  const { name, at } = (json ?? {}) as Partial<Record<'name' | 'at', unknown>>;
  return typeof name === 'string' && typeof at === 'number';
}
