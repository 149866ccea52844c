import { noteManagers, readMembershipNote } from '@causeway/identity/io';
import { messageOf, readManagerAddresses } from '@causeway/model';
import type { Log } from '@causeway/runtime';

interface Place {
  /** Directory of the agent's credential, where the addresses are kept. */
  readonly directory: string;
  /** HOST:PORT of the managers in the settings. */
  readonly configured: readonly string[];
}

/**
 * Where this agent finds managers: at the addresses in its settings, which stay, and at those that the managers have said last. So
 * the agent also finds managers that joined after this host, and does not ask managers that were removed.
 */
export class ManagerAddresses {
  readonly #place: Place;
  readonly #log: Log;
  #told: readonly string[];

  private constructor(log: Log, place: Place, told: readonly string[]) {
    this.#log = log;
    this.#place = place;
    this.#told = told;
  }

  /** A file that cannot be read counts as empty: the managers tell again. */
  static async open({ log }: { readonly log: Log }, place: Place): Promise<ManagerAddresses> {
    try {
      const { managers } = await readMembershipNote(place.directory);
      return new ManagerAddresses(log, place, readManagerAddresses(managers));
    } catch (error) {
      log.warn('managers.not-read', { message: messageOf(error) });
      return new ManagerAddresses(log, place, []);
    }
  }

  /** Those in the settings first. */
  get all(): readonly string[] {
    return [...new Set([...this.#place.configured, ...this.#told])];
  }

  /** Takes what a manager has said in place of what was said before. Returns whether there is news. */
  async learn(said: readonly string[]): Promise<boolean> {
    const told = readManagerAddresses(said);
    if (told.length === 0) return false;
    const isNews = told.join() !== this.#told.join();
    this.#told = told;
    await noteManagers(this.#place.directory, told).catch((error: unknown) =>
      this.#log.warn('managers.not-kept', { message: messageOf(error) }),
    );
    if (isNews) this.#log.info('managers.known', { managers: this.all });
    return isNews;
  }
}
