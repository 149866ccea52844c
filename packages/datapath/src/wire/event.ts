import { type Ip, isGroup, type Mac } from '@causeway/model';
import type { MessageReader } from '@causeway/netlink';
import * as k from './constants.ts';
import { type LinkRecord, readLink } from './link.ts';
import { readEntryKey, readEntryState } from './neighbour.ts';
import { OwnEntries } from './own-entries.ts';

/** What a message of a monitor is about; "other": no more is said of it. */
export type Change =
  | { readonly kind: 'link'; readonly name: string }
  | { readonly kind: 'fdb'; readonly dev: string; readonly mac: Mac }
  | { readonly kind: 'neighbour'; readonly dev: string; readonly ip: Ip }
  | { readonly kind: 'other' };

const other: Change = { kind: 'other' };

/** By the type of a message: whether one is about something that is read. */
export type Events = ReadonlyMap<number, (message: MessageReader) => boolean>;

/**
 * Tells changes from traffic among what a monitor hears. The ARP and ND states of a bridge's own neighbours change all
 * the time that containers talk to their gateway (REACHABLE, STALE, DELAY …), links tell of queues and timers: nothing we
 * read depends on them, and each would cost a look. Permanent entries, and every entry of other devices, are configuration.
 * An entry that is as this process has just written it is no change either. Of messages about other things, `events` says
 * whether they are about something that is read.
 */
export class ChangeFilter {
  readonly own = new OwnEntries();
  readonly #links = new Map<number, LinkRecord>();
  readonly #events: Events;

  constructor(events: Events) {
    this.#events = events;
  }

  /** undefined: it is no change. */
  changeOf(message: MessageReader): Change | undefined {
    switch (message.type) {
      case k.RTM_NEWLINK:
      case k.RTM_DELLINK:
        return this.#follow(message);
      case k.RTM_NEWNEIGH:
      case k.RTM_DELNEIGH:
        return this.#ofEntry(message);
      default:
        return this.#events.get(message.type)?.(message) === false ? undefined : other;
    }
  }

  #ofEntry(message: MessageReader): Change | undefined {
    const key = readEntryKey(message);
    const link = key && this.#links.get(key.index);
    if (key === undefined || link === undefined) return other;
    if ('ip' in key) {
      const isTraffic = link.kind === 'bridge' && (message.u16(8) & k.NUD_PERMANENT) === 0;
      if (isTraffic || this.#isOwn(message, link, key.ip)) return undefined;
      return { kind: 'neighbour', dev: link.name, ip: key.ip };
    }
    // A request for the MAC gets one of a group's several VTEPs only.
    if (link.kind === 'vxlan' && isGroup(key.mac)) return other;
    return this.#isOwn(message, link, key.mac) ? undefined : { kind: 'fdb', dev: link.name, mac: key.mac };
  }

  #isOwn(message: MessageReader, { index, kind }: LinkRecord, key: Mac | Ip): boolean {
    const state = readEntryState(message, kind === 'vxlan');
    return state !== undefined && this.own.has({ index, key, state });
  }

  #follow(message: MessageReader): Change | undefined {
    const told = readLink(message);
    const change = this.#followLink(message, told);
    if (change !== undefined) this.own.forgetLink(told.index);
    return change;
  }

  /** A link of a dump or an event. */
  #followLink(message: MessageReader, told: LinkRecord): Change | undefined {
    const { index, name } = told;
    const known = this.#links.get(index);
    if (message.u8(0) !== k.AF_BRIDGE && message.type === k.RTM_DELLINK) {
      this.#links.delete(index);
      return { kind: 'link', name };
    }
    const link = message.u8(0) === k.AF_BRIDGE ? asPort(known, told, message.type === k.RTM_NEWLINK) : told;
    if (link === undefined) return { kind: 'link', name };
    this.#links.set(index, link);
    if (known === undefined) return { kind: 'link', name };
    if (known.name !== name) return other;
    return words(known) === words(link) ? undefined : { kind: 'link', name };
  }
}

/** Events of family AF_BRIDGE are about ports and name no kind. */
function asPort(known: LinkRecord | undefined, told: LinkRecord, joined: boolean): LinkRecord | undefined {
  if (known === undefined) return undefined;
  const { port: _, master: __, ...link } = { ...known, name: told.name };
  const { port = known.port, master } = told;
  return joined ? { ...link, ...(port && { port }), ...(master !== undefined && { master }) } : link;
}

/** All of it that is read, and the carrier: what becomes of the end in a container is told by it alone. */
function words({
  name,
  mac,
  mtu,
  up,
  carrier,
  kind,
  master,
  port,
  vxlan,
  crossesNamespaces: crosses,
}: LinkRecord): string {
  return JSON.stringify([name, mac, mtu, up, carrier, kind, master, port?.learning, port?.flood, vxlan, crosses]);
}
