import { type Ip, isGroup, type Mac } from '@causeway/model';
import type { MessageReader } from '@causeway/netlink';
import * as k from './constants.ts';
import { type LinkRecord, readLink } from './link.ts';
import { readEntryKey, readEntryState } from './neighbour.ts';
import { OwnEntries } from './own-entries.ts';
import { OwnLinks } from './own-links.ts';

/** The object that a monitor's message is about; "other": an object that is not reported by name. */
export type Change =
  | { readonly kind: 'link'; readonly name: string }
  | { readonly kind: 'entry'; readonly slot: 'fdb' | 'neighbours'; readonly dev: string; readonly key: Mac | Ip }
  | { readonly kind: 'other' };

const other: Change = { kind: 'other' };

/** By message type: tests whether a message is about something that `read` shows. */
export type Events = ReadonlyMap<number, (message: MessageReader) => boolean>;

/**
 * Separates changes from noise in the messages that a monitor receives. A bridge's own neighbours change their ARP and
 * ND state all the time while containers talk to their gateway (REACHABLE, STALE, DELAY …), and links report queues and
 * timers. Nothing that we read depends on these, and each would cost a read. Permanent entries, and every entry of
 * other devices, are configuration. An entry, and a pair of links, that is as this process has just written it is no
 * change either. For messages about other objects, `events` says whether they are about something that is read.
 */
export class ChangeFilter {
  readonly own = new OwnEntries();
  readonly ownLinks = new OwnLinks();
  readonly #links = new Map<number, LinkRecord>();
  readonly #events: Events;

  constructor(events: Events) {
    this.#events = events;
  }

  /** undefined: the message reports no change. */
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

  /** Call when all events so far were shown: links that this process has written, and that are not as they were written. */
  settle(): readonly string[] {
    this.own.forgetAll();
    return this.ownLinks.settle((index) => this.#links.get(index)?.name);
  }

  #ofEntry(message: MessageReader): Change | undefined {
    const key = readEntryKey(message);
    const link = key && this.#links.get(key.index);
    if (key === undefined || link === undefined) return other;
    if ('ip' in key) {
      const isTraffic = link.kind === 'bridge' && (message.u16(8) & k.NUD_PERMANENT) === 0;
      if (isTraffic || this.#isOwn(message, link, key.ip)) return undefined;
      return { kind: 'entry', slot: 'neighbours', dev: link.name, key: key.ip };
    }
    // A request for a group MAC returns only one of its VTEPs.
    if (link.kind === 'vxlan' && isGroup(key.mac)) return other;
    if (this.#isOwn(message, link, key.mac)) return undefined;
    return { kind: 'entry', slot: 'fdb', dev: link.name, key: key.mac };
  }

  #isOwn(message: MessageReader, { index, kind, name }: LinkRecord, key: Mac | Ip): boolean {
    const state = readEntryState(message, kind === 'vxlan');
    if (state !== undefined) return this.own.has({ index, key, state });
    // A bridge makes entries for each new port, which no read shows. On our own new port they take no entry's place.
    return this.ownLinks.isBeingWritten(name) && !this.own.names({ index, key });
  }

  #follow(message: MessageReader): Change | undefined {
    const record = readLink(message);
    const change = this.#followLink(message, record);
    if (change === undefined || this.#isOwnChange(message, record.index)) return undefined;
    this.own.forgetLink(record.index);
    this.ownLinks.forget(record.name);
    return change;
  }

  /** `index`: of a link that the message changes. */
  #isOwnChange({ type }: MessageReader, index: number): boolean {
    const link = this.#links.get(index);
    return type === k.RTM_NEWLINK && link !== undefined && this.ownLinks.takes(link, (of) => this.#links.get(of)?.name);
  }

  /** Follows a link, as described by a dump or an event. */
  #followLink(message: MessageReader, record: LinkRecord): Change | undefined {
    const { index, name } = record;
    const known = this.#links.get(index);
    if (message.u8(0) !== k.AF_BRIDGE && message.type === k.RTM_DELLINK) {
      this.#links.delete(index);
      return { kind: 'link', name };
    }
    const link = message.u8(0) === k.AF_BRIDGE ? asPort(known, record, message.type === k.RTM_NEWLINK) : record;
    if (link === undefined) return { kind: 'link', name };
    this.#links.set(index, link);
    if (known === undefined) return { kind: 'link', name };
    if (known.name !== name) return other;
    return isAlike(known, link) ? undefined : { kind: 'link', name };
  }
}

/** Adds the port's properties from an event of family AF_BRIDGE, which contains no kind, to the known link. */
function asPort(known: LinkRecord | undefined, record: LinkRecord, joined: boolean): LinkRecord | undefined {
  if (known === undefined) return undefined;
  const { port: _, master: __, ...link } = { ...known, name: record.name };
  const { port = known.port, master } = record;
  return joined ? { ...link, ...(port && { port }), ...(master !== undefined && { master }) } : link;
}

/** All properties that are read but the name, and the carrier: it alone reports a change of the end in a container. */
function isAlike(a: LinkRecord, b: LinkRecord): boolean {
  return (
    a.mac === b.mac &&
    a.mtu === b.mtu &&
    a.up === b.up &&
    a.carrier === b.carrier &&
    a.kind === b.kind &&
    a.master === b.master &&
    a.port?.learning === b.port?.learning &&
    a.port?.flood === b.port?.flood &&
    a.vxlan?.vni === b.vxlan?.vni &&
    a.vxlan?.port === b.vxlan?.port &&
    a.vxlan?.local === b.vxlan?.local &&
    a.vxlan?.plain === b.vxlan?.plain &&
    a.crossesNamespaces === b.crossesNamespaces
  );
}
