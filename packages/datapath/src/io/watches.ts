import { type FSWatcher, watch as watchDirectory } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MessageReader } from '@causeway/netlink';
import { inodeOf, leadsTo } from '@causeway/netlink/io';
import { ChangeSet } from '../changes.ts';
import type { OnWatchEvent, Watch } from '../kernel.ts';
import { hostNetns, type NetnsPath } from '../state.ts';
import type { WrittenEntry } from '../wire/own-entries.ts';
import type { LinkWrite } from '../wire/own-links.ts';
import { Monitor, type MonitorSettings } from './monitor.ts';
import { type OpenNamespace, openNamespace } from './namespaces.ts';

interface Entry {
  readonly path: NetnsPath;
  /** The inode of the namespace: while the namespace is open, no other namespace has this inode. */
  readonly inode: string;
  readonly open: OpenNamespace;
  readonly monitor: Monitor;
  readonly onEvent: OnWatchEvent;
}

/**
 * Monitors of namespaces, by the path at which each namespace was mounted when its monitor began. A monitor keeps its
 * namespace alive. It must therefore be closed as soon as the path is gone or leads to another namespace, so this class
 * watches the directories of the paths.
 */
export class Watches {
  readonly #entries = new Map<NetnsPath, Set<Entry>>();
  readonly #directories = new Map<string, FSWatcher>();
  readonly #settings: MonitorSettings;

  constructor(settings: MonitorSettings = {}) {
    this.#settings = settings;
  }

  /** undefined: no namespace is mounted there. */
  add(path: NetnsPath, onEvent: OnWatchEvent): Watch | undefined {
    const open = openNamespace(path);
    if (open === undefined) return undefined;
    try {
      const isOwn = (message: MessageReader, protocol: number): boolean =>
        [...(this.#entries.get(path) ?? [])].some((entry) => entry.open.isCauseOf(message, protocol));
      const monitor = new Monitor(open.fd, onEvent, { ...this.#settings, isOwn });
      return this.#keep({ path, inode: open.fd === undefined ? '' : inodeOf(open.fd), open, monitor, onEvent });
    } catch (error) {
      open.close();
      throw error;
    }
  }

  /** The open namespace of a watch, if the path leads to that namespace. */
  held(path: NetnsPath): OpenNamespace | undefined {
    for (const { open, inode } of this.#entries.get(path) ?? []) {
      if (path === hostNetns || leadsTo(path, inode)) return open;
    }
    return undefined;
  }

  /** Call when this process has written these entries in the namespace that the path leads to. */
  wrote(path: NetnsPath, written: readonly WrittenEntry[]): void {
    for (const monitor of this.#monitorsOf(path)) monitor.wrote(written);
  }

  /** Call when this process has written a link in the namespace that the path leads to. */
  wroteLink(path: NetnsPath, write: LinkWrite): void {
    for (const monitor of this.#monitorsOf(path)) monitor.wroteLink(write);
  }

  /** Ends the watches of a namespace that is about to be deleted. */
  end(path: NetnsPath): void {
    for (const entry of [...(this.#entries.get(path) ?? [])]) this.#end(entry);
  }

  /** Ends every watch without reporting. */
  close(): void {
    for (const entry of this.#all()) this.#drop(entry);
  }

  /** The monitors of the namespace that the path leads to now. */
  #monitorsOf(path: NetnsPath): readonly Monitor[] {
    return [...(this.#entries.get(path) ?? [])].flatMap(({ inode, monitor }) =>
      path === hostNetns || leadsTo(path, inode) ? [monitor] : [],
    );
  }

  #keep(entry: Entry): Watch {
    const watches = this.#entries.get(entry.path) ?? new Set();
    this.#entries.set(entry.path, watches.add(entry));
    if (entry.path !== hostNetns) this.#watchDirectory(dirname(entry.path));
    return { close: () => this.#drop(entry) };
  }

  #end(entry: Entry): void {
    this.#drop(entry);
    entry.onEvent('gone', new ChangeSet());
  }

  #drop(entry: Entry): void {
    const watches = this.#entries.get(entry.path);
    if (watches?.delete(entry) !== true) return;
    if (watches.size === 0) this.#entries.delete(entry.path);
    entry.monitor.close();
    entry.open.close();
    const directory = dirname(entry.path);
    for (const path of this.#entries.keys()) if (path !== hostNetns && dirname(path) === directory) return;
    this.#directories.get(directory)?.close();
    this.#directories.delete(directory);
  }

  /**
   * A file that is made or removed may mean that a namespace was replaced or unmounted. Containers come and go in the same
   * directory, so only the path whose name changed is checked.
   */
  #watchDirectory(directory: string): void {
    if (this.#directories.has(directory)) return;
    const watcher = watchDirectory(directory, (_, name) => this.#endIfGone(directory, name ?? undefined));
    this.#directories.set(
      directory,
      watcher.on('error', () => this.#endIfGone(directory)),
    );
  }

  /** `name` undefined: checks all paths of the directory. */
  #endIfGone(directory: string, name?: string): void {
    const concerned =
      name === undefined
        ? this.#all().filter(({ path }) => path !== hostNetns && dirname(path) === directory)
        : [...(this.#entries.get(join(directory, name) as NetnsPath) ?? [])];
    for (const entry of concerned) if (!leadsTo(entry.path, entry.inode)) this.#end(entry);
  }

  #all(): Entry[] {
    return [...this.#entries.values()].flatMap((watches) => [...watches]);
  }
}
