import type { MessageReader } from '@causeway/netlink';
import { kinds, type Namespace } from './kinds/table.ts';
import { AF_BRIDGE, RTM_DELLINK, RTM_NEWLINK } from './wire/constants.ts';
import { type LinkRecord, readLink } from './wire/link.ts';

/**
 * The kinds whose changes in containers are found by notifications. Not neighbours: containers resolve addresses all the time, and
 * nothing of ours is among their entries.
 */
export const watchedInContainers = kinds.filter(({ slot, real }) => slot === 'links' || real.judge !== undefined);

/**
 * Follows the notifications of a container's namespace, and finds desired objects that are no longer as desired. A notification
 * that an object is as desired counts for nothing, also when another process has changed the object back. An object deviates
 * while it is being made, so only deviations that outlast a batch of messages count.
 */
export class Deviations {
  #desired: Namespace;
  /** The desired links that exist, by index. */
  readonly #links: Map<number, string>;
  /** By object: the batch in which it was first found to deviate. */
  readonly #since = new Map<string, number>();
  #batch = 0;

  constructor(desired: Namespace, links: ReadonlyMap<number, string>) {
    this.#desired = desired;
    this.#links = new Map(links);
  }

  expect(desired: Namespace): void {
    this.#desired = desired;
  }

  onEvent(message: MessageReader): void {
    if (message.type === RTM_NEWLINK || message.type === RTM_DELLINK) {
      if (message.u8(0) !== AF_BRIDGE) this.#onLink(readLink(message), message.type === RTM_NEWLINK);
      return;
    }
    for (const { real } of watchedInContainers) {
      if (real.events?.has(message.type) !== true) continue;
      const verdict = real.judge?.(message, this.#desired, (index) => this.#links.get(index));
      if (verdict !== undefined) this.#judge(verdict.key, verdict.isAsDesired);
    }
  }

  /** All messages so far were shown. Returns whether an object has deviated since before this batch of messages. */
  onBatchEnd(): boolean {
    const old = [...this.#since].filter(([, since]) => since < this.#batch);
    for (const [key] of old) this.#since.delete(key);
    this.#batch++;
    return old.length > 0;
  }

  #onLink(record: LinkRecord, exists: boolean): void {
    const { index, name } = record;
    const before = this.#links.get(index);
    if (before !== undefined && (!exists || before !== name)) {
      this.#links.delete(index);
      this.#judge(linkKey(before), false);
    }
    const desired = this.#desired.links.get(name);
    if (!exists || desired === undefined) return;
    this.#links.set(index, name);
    const { mac, mtu, up } = desired;
    this.#judge(linkKey(name), record.mac === mac && record.mtu === mtu && record.up === up);
  }

  #judge(key: string, isAsDesired: boolean): void {
    if (isAsDesired) this.#since.delete(key);
    else if (!this.#since.has(key)) this.#since.set(key, this.#batch);
  }
}

function linkKey(name: string): string {
  return `link ${name}`;
}
