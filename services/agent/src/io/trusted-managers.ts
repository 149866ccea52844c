import {
  ClientCredentials,
  type LiveCredential,
  type RemovedManager,
  type RemovedManagers,
} from '@causeway/identity/io';
import { messageOf } from '@causeway/model';
import type { Clock, Log } from '@causeway/runtime';
import type { ManagerGone } from './manager-link.ts';

interface TrustedManagersParts {
  readonly credential: LiveCredential;
  readonly removed: RemovedManagers;
  readonly clock: Pick<Clock, 'wall'>;
  readonly log: Log;
}

/** Which managers the agent trusts: those of the cluster, except those that were removed. */
export class TrustedManagers {
  readonly #parts: TrustedManagersParts;
  #made: readonly ClientCredentials[] = [];

  constructor(parts: TrustedManagersParts) {
    this.#parts = parts;
  }

  /** For new connections. The connections of the credentials before these may go on for a while. */
  credentials(): ClientCredentials {
    const { credential, clock, removed } = this.#parts;
    const made = ClientCredentials.toManagers(
      credential,
      () => clock.wall(),
      () => removed.removals,
    );
    this.#made = [...this.#made.slice(-1), made];
    return made;
  }

  /** Ends the connections to managers that were removed. Resolves when the agent will remember them. */
  async learn(told: readonly RemovedManager[]): Promise<void> {
    const learnt = this.#parts.removed.learn(told);
    for (const credentials of this.#made) credentials.cutUnwelcome();
    if (await learnt) this.#parts.log.warn('managers.removed', { managers: told.map(({ name }) => name) });
  }

  /** The same, as a session tells it. */
  tell(told: readonly ManagerGone[]): void {
    this.learn(told.map(({ name, atMs, untilJoin }) => ({ name, at: Number(atMs), isUntilJoin: untilJoin }))).catch(
      (error: unknown) => this.#parts.log.error('managers.removed-not-kept', { message: messageOf(error) }),
    );
  }
}
