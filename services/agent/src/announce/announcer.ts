import { type Announcement, bridgeName, type Kernel, overlayNetns } from '@causeway/datapath';
import type { NetworkId } from '@causeway/model';
import { type Clock, type Duration, type Log, Loop, seconds } from '@causeway/runtime';
import { announcementsOf, type NewAddresses } from './announcements.ts';
import { add, type Backlog, emptyBacklog, takeTurn, type Waiting } from './backlog.ts';

/** Counts announcements for the status of the host. */
export interface AnnouncementCounts {
  announced(count: number): void;
  notAnnounced(count: number): void;
}

export interface AnnouncerModules {
  readonly kernel: Pick<Kernel, 'announce'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly stats: AnnouncementCounts;
}

/**
 * Announces new addresses of networks to their containers on this host. A container that asked for such an address before
 * got no answer, and would wait up to a second, until its kernel asks again. The kernel asks again in any case, so nothing
 * is lost when an announcement is dropped or fails.
 */
export class Announcer {
  readonly #modules: AnnouncerModules;
  readonly #loop: Loop;
  #backlog: Backlog;
  /** Time of the next turn, ms of the clock; infinite: none is needed. */
  #nextTurn = Number.POSITIVE_INFINITY;

  constructor(modules: AnnouncerModules) {
    const { clock, log } = modules;
    this.#modules = modules;
    this.#backlog = emptyBacklog(clock.now());
    const failed = (error: unknown): void => log.warn('announcement.failed', { message: String(error) });
    this.#loop = new Loop({ clock }, { step: () => this.#step(), failed, retryAfter: seconds(1) });
  }

  announce(found: NewAddresses): void {
    const { clock, stats } = this.#modules;
    const announcements = announcementsOf(found, clock.now());
    if (announcements.length === 0) return;
    const { backlog, dropped } = add(this.#backlog, announcements);
    this.#backlog = backlog;
    stats.notAnnounced(dropped);
    // Announcements of peers are due later, and in a burst the budget is used up. So most wakes would cause a turn for nothing.
    if (announcements.some(({ due }) => due < this.#nextTurn)) this.#loop.wake();
  }

  /** Sends until the signal aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#loop.run(signal);
  }

  async #step(): Promise<Duration | undefined> {
    const { clock, stats } = this.#modules;
    const now = clock.now();
    const { send, dropped, backlog, wait } = takeTurn(this.#backlog, now);
    this.#backlog = backlog;
    this.#nextTurn = wait === undefined ? Number.POSITIVE_INFINITY : now + wait;
    stats.notAnnounced(dropped);
    for (const [networkId, announcements] of byNetwork(send)) await this.#send(networkId, announcements);
    return wait;
  }

  /** A network that is being removed has no bridge any more. */
  async #send(networkId: NetworkId, announcements: readonly Announcement[]): Promise<void> {
    const { kernel, log, stats } = this.#modules;
    try {
      await kernel.announce(overlayNetns(networkId), bridgeName, announcements);
      stats.announced(announcements.length);
    } catch (error) {
      stats.notAnnounced(announcements.length);
      log.debug('announcement.failed', { networkId, message: String(error) });
    }
  }
}

function byNetwork(waiting: readonly Waiting[]): Map<NetworkId, Announcement[]> {
  const networks = new Map<NetworkId, Announcement[]>();
  for (const { networkId, announcement } of waiting) {
    const known = networks.get(networkId);
    if (known === undefined) networks.set(networkId, [announcement]);
    else known.push(announcement);
  }
  return networks;
}
