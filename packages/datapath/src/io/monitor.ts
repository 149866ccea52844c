import { KernelError, type MessageReader, NETLINK_ROUTE } from '@causeway/netlink';
import {
  type MonitorListener,
  Monitor as NetlinkMonitor,
  type MonitorSettings as NetlinkSettings,
} from '@causeway/netlink/io';
import { ChangeSet, type Changes } from '../changes.ts';
import { kinds } from '../kinds/table.ts';
import { type Change, ChangeFilter, type Events } from '../wire/event.ts';
import { dumpLinks } from '../wire/link.ts';
import type { WrittenEntry } from '../wire/own-entries.ts';
import type { LinkWrite } from '../wire/own-links.ts';

/**
 * Milliseconds. A new pair of links without a carrier after twice this time is reported as changed. The kernel reports a
 * carrier up to a second late (net/core/link_watch.c), usually within a millisecond.
 */
const carrierCheck = 500;

type OnMonitorEvent = (event: 'changed' | 'overrun', changes: Changes) => void;

export interface MonitorSettings extends Pick<NetlinkSettings, 'receiveBuffer' | 'onLost' | 'receive'> {
  /** Gets each notification of protocols whose changes are not reported by name, before the change is reported. */
  readonly onMessage?: (message: MessageReader) => void;
  /** Whether this kernel has written what such a notification is about. Absent: it writes nothing. */
  readonly isOwn?: (message: MessageReader, protocol: number) => boolean;
}

/** Listens for changes of every kind in a namespace, and keeps the namespace alive until the monitor is closed. */
export class Monitor {
  readonly #monitors: readonly NetlinkMonitor[];
  readonly #route: RouteListener;

  /**
   * @param netns fd of an open namespace, which must stay open as long as the monitor; undefined: the process's own
   * namespace.
   * @param onEvent called once per wake-up, for any number of changes.
   */
  constructor(netns: number | undefined, onEvent: OnMonitorEvent, settings: MonitorSettings = {}) {
    this.#route = new RouteListener(onEvent, eventsOf(NETLINK_ROUTE));
    const opened: NetlinkMonitor[] = [];
    try {
      for (const protocol of protocolsOf(netns)) {
        const isOwn = (message: MessageReader): boolean => settings.isOwn?.(message, protocol) === true;
        const listener =
          protocol === NETLINK_ROUTE
            ? this.#route
            : new Listener(onEvent, eventsOf(protocol), { isOwn, onMessage: settings.onMessage });
        const monitor = open(
          () => new NetlinkMonitor(listener, { ...settings, protocol, groups: groupsOf(protocol), netns }),
        );
        if (monitor !== undefined) opened.push(monitor);
      }
    } catch (error) {
      for (const monitor of opened) monitor.close();
      throw error;
    }
    this.#monitors = opened;
  }

  close(): void {
    this.#route.close();
    for (const monitor of this.#monitors) monitor.close();
  }

  /**
   * Call when this process has just written these entries. The notifications of the writes are in the socket already,
   * because the kernel sends them before it answers. An event that says something else about the entries is reported as
   * a change.
   */
  wrote(entries: readonly WrittenEntry[]): void {
    for (const entry of entries) this.#route.wrote(entry);
    this.#poke();
  }

  /** The same for a link. */
  wroteLink(write: LinkWrite): void {
    this.#route.wroteLink(write);
    this.#poke();
  }

  #poke(): void {
    // A write that changes nothing causes no event, so `poke` makes sure that `onBatchEnd` runs and forgets the write.
    for (const monitor of this.#monitors) monitor.poke();
  }
}

/** undefined: the kernel was built without this protocol, and so without its objects. */
function open<Opened>(make: () => Opened): Opened | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof KernelError && error.errno === 'EPROTONOSUPPORT') return undefined;
    throw error;
  }
}

/** Protocols whose objects are all in the host namespace cost no socket elsewhere. */
function protocolsOf(netns: number | undefined): ReadonlySet<number> {
  const here = kinds.filter(({ isOfHost }) => isOfHost !== true || netns === undefined);
  return new Set(here.flatMap(({ real }) => real.protocol ?? []));
}

function groupsOf(protocol: number): readonly number[] {
  const groups = kinds.flatMap(({ real }) => (real.protocol === protocol ? (real.groups ?? []) : []));
  return [...new Set(groups)];
}

function eventsOf(protocol: number): Events {
  return new Map(kinds.flatMap(({ real }) => (real.protocol === protocol ? [...(real.events ?? [])] : [])));
}

interface ListenerSettings {
  readonly isOwn: (message: MessageReader) => boolean;
  readonly onMessage: ((message: MessageReader) => void) | undefined;
}

/** Listens to a protocol whose changes are not reported by name. */
class Listener implements MonitorListener {
  readonly #notify: OnMonitorEvent;
  protected readonly events: Events;
  readonly #settings: ListenerSettings;
  #changes: ChangeSet | undefined;

  constructor(onEvent: OnMonitorEvent, events: Events, settings: ListenerSettings) {
    this.#notify = onEvent;
    this.events = events;
    this.#settings = settings;
  }

  onListen(): ReturnType<MonitorListener['onListen']> {
    this.#changes = undefined;
    return [];
  }

  /** The state before the monitor listened is not a change: the caller reads the namespace after it opens a watch. */
  onAnswer(_: MessageReader): void {}

  /** What this process has written is not a change: the kernel has told the writer whether it did as it was asked. */
  onEvent(message: MessageReader): void {
    if (this.#settings.isOwn(message)) {
      message.erase();
      return;
    }
    this.#settings.onMessage?.(message);
    if (this.events.get(message.type)?.(message) !== false) this.report({ kind: 'other' });
  }

  onUnreadable(): void {
    this.report({ kind: 'other' });
  }

  onBatchEnd(_: boolean): void {
    const changes = this.#changes;
    this.#changes = undefined;
    if (changes !== undefined) this.#notify('changed', changes);
  }

  onOverrun(): void {
    this.#notify('overrun', new ChangeSet());
  }

  protected report(change: Change): void {
    this.#changes ??= new ChangeSet();
    if (change.kind === 'link') this.#changes.links.add(change.name);
    else if (change.kind === 'entry') this.#changes.add(change.slot, change.dev, change.key);
    else this.#changes.more = true;
  }
}

/** Listens to links, and to what belongs to them. */
class RouteListener extends Listener {
  #filter: ChangeFilter;
  #carrierCheck: NodeJS.Timeout | undefined;

  constructor(onEvent: OnMonitorEvent, events: Events) {
    super(onEvent, events, { isOwn: () => false, onMessage: undefined });
    this.#filter = new ChangeFilter(events);
  }

  /** The filter must know the existing links. */
  override onListen(): ReturnType<MonitorListener['onListen']> {
    super.onListen();
    this.#filter = new ChangeFilter(this.events);
    return [dumpLinks];
  }

  override onAnswer(message: MessageReader): void {
    this.#filter.changeOf(message);
  }

  override onEvent(message: MessageReader): void {
    const change = this.#filter.changeOf(message);
    if (change !== undefined) this.report(change);
  }

  override onBatchEnd(isDrained: boolean): void {
    if (isDrained) for (const name of this.#filter.settle()) this.report({ kind: 'link', name });
    super.onBatchEnd(isDrained);
    this.#checkCarriers();
  }

  wrote(entry: WrittenEntry): void {
    this.#filter.own.add(entry);
  }

  wroteLink(write: LinkWrite): void {
    this.#filter.ownLinks.wrote(write);
  }

  close(): void {
    clearTimeout(this.#carrierCheck);
  }

  #checkCarriers(): void {
    if (this.#filter.ownLinks.isEmpty) return;
    this.#carrierCheck ??= setTimeout(() => {
      this.#carrierCheck = undefined;
      for (const name of this.#filter.ownLinks.takeWaiting()) this.report({ kind: 'link', name });
      super.onBatchEnd(false);
      this.#checkCarriers();
    }, carrierCheck).unref();
  }
}
