import { type Encode, type MessageReader, NETLINK_ROUTE } from '@causeway/netlink';
import {
  type MonitorListener,
  Monitor as NetlinkMonitor,
  type MonitorSettings as NetlinkSettings,
} from '@causeway/netlink/io';
import { ChangeSet, type Changes } from '../changes.ts';
import * as wire from '../wire/index.ts';

const groups = [
  wire.RTNLGRP_LINK,
  wire.RTNLGRP_NEIGH,
  wire.RTNLGRP_IPV4_IFADDR,
  wire.RTNLGRP_IPV4_ROUTE,
  wire.RTNLGRP_IPV6_IFADDR,
  wire.RTNLGRP_IPV6_ROUTE,
];

type OnMonitorDirt = (dirt: 'changed' | 'overrun', changes: Changes) => void;

export type MonitorSettings = Pick<NetlinkSettings, 'receiveBuffer' | 'onLost' | 'receive'>;

/** Listens to what changes in a namespace, and keeps that alive until it is closed. */
export class Monitor {
  readonly #onDirt: OnMonitorDirt;
  readonly #monitor: NetlinkMonitor;
  #filter = new wire.ChangeFilter();
  #changes = new ChangeSet();
  #changed = false;

  /**
   * @param netns an open namespace, open as long as the monitor is; undefined: the one the process lives in.
   * @param onDirt once per wake-up, however much it brought.
   */
  constructor(netns: number | undefined, onDirt: OnMonitorDirt, settings: MonitorSettings = {}) {
    this.#onDirt = onDirt;
    const listener: MonitorListener = {
      onListen: () => this.#begin(),
      // What was there before the monitor listened is no change: who opens a watch reads the namespace afterwards.
      onAnswer: (message) => void this.#filter.changeOf(message),
      onEvent: (message) => this.#gather(message),
      onUnreadable: () => this.#more(),
      onHeard: (all) => this.#tell(all),
      onOverrun: () => onDirt('overrun', new ChangeSet()),
    };
    this.#monitor = new NetlinkMonitor(listener, { ...settings, protocol: NETLINK_ROUTE, groups, netns });
  }

  close(): void {
    this.#monitor.close();
  }

  /**
   * This process has just written these entries. What the kernel told of the writes waits in the socket already, since the
   * kernel does so before it answers; an event that says anything else of them is told on.
   */
  wrote(entries: readonly wire.WrittenEntry[]): void {
    if (!this.#monitor.isListening) return;
    for (const entry of entries) this.#filter.own.add(entry);
    // A write that changes nothing brings no event that would end this.
    this.#monitor.poke();
  }

  /** The filter must know the links there are already. */
  #begin(): readonly Encode[] {
    this.#filter = new wire.ChangeFilter();
    this.#changes = new ChangeSet();
    this.#changed = false;
    return [wire.dumpLinks];
  }

  #gather(message: MessageReader): void {
    const change = this.#filter.changeOf(message);
    if (change === undefined) return;
    this.#changed = true;
    if (change.kind === 'link') this.#changes.links.add(change.name);
    else if (change.kind === 'fdb') this.#changes.addFdb(change.dev, change.mac);
    else if (change.kind === 'neighbour') this.#changes.addNeighbour(change.dev, change.ip);
    else this.#changes.more = true;
  }

  #more(): void {
    this.#changed = true;
    this.#changes.more = true;
  }

  #tell(all: boolean): void {
    if (all) this.#filter.own.forgetAll();
    if (!this.#changed) return;
    const changes = this.#changes;
    this.#changes = new ChangeSet();
    this.#changed = false;
    this.#onDirt('changed', changes);
  }
}
