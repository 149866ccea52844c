import { type FSWatcher, watch as watchDirectory } from 'node:fs';
import { dirname } from 'node:path';
import type { NetnsIdentity, OnDirt, Watch } from '../kernel.ts';
import { home, type NetnsPath } from '../state.ts';
import { Monitor, type MonitorSettings } from './monitor.ts';
import { identifyNetns, identityOf, withNetns } from './netns.ts';

interface Entry {
  readonly path: NetnsPath;
  readonly identity: NetnsIdentity;
  readonly monitor: Monitor;
  readonly onDirt: OnDirt;
}

/**
 * Monitors, each of the namespace that was mounted at a path when it began. A monitor keeps its namespace alive, so it
 * has to be given up as soon as the path is gone or leads to another one: the directories are watched for that.
 */
export class Watches {
  readonly #entries = new Set<Entry>();
  readonly #directories = new Map<string, FSWatcher>();
  readonly #settings: MonitorSettings;

  constructor(settings: MonitorSettings = {}) {
    this.#settings = settings;
  }

  /** undefined: no namespace is mounted there. */
  add(path: NetnsPath, onDirt: OnDirt): Watch | undefined {
    if (path === home) return this.#keep(path, '', new Monitor(undefined, onDirt, this.#settings), onDirt);
    return withNetns(path, (fd) => this.#keep(path, identityOf(fd), new Monitor(fd, onDirt, this.#settings), onDirt));
  }

  /** Ends the watches of a namespace that is about to be deleted. */
  end(path: NetnsPath): void {
    for (const entry of [...this.#entries]) if (entry.path === path) this.#end(entry);
  }

  /** Without a word to anybody. */
  close(): void {
    for (const entry of [...this.#entries]) this.#drop(entry);
  }

  #keep(path: NetnsPath, identity: NetnsIdentity, monitor: Monitor, onDirt: OnDirt): Watch {
    const entry = { path, identity, monitor, onDirt };
    this.#entries.add(entry);
    if (path !== home) this.#watchDirectory(dirname(path));
    return { close: () => this.#drop(entry) };
  }

  #end(entry: Entry): void {
    this.#drop(entry);
    entry.onDirt('gone', new Set());
  }

  #drop(entry: Entry): void {
    if (!this.#entries.delete(entry)) return;
    entry.monitor.close();
    const directory = dirname(entry.path);
    if ([...this.#entries].some(({ path }) => path !== home && dirname(path) === directory)) return;
    this.#directories.get(directory)?.close();
    this.#directories.delete(directory);
  }

  /** A file made or removed may be a namespace replaced or unmounted. */
  #watchDirectory(directory: string): void {
    if (this.#directories.has(directory)) return;
    const check = (): void => this.#endTheGone(directory);
    this.#directories.set(directory, watchDirectory(directory, check).on('error', check));
  }

  #endTheGone(directory: string): void {
    for (const entry of [...this.#entries]) {
      const { path, identity } = entry;
      if (path !== home && dirname(path) === directory && identifyNetns(path) !== identity) this.#end(entry);
    }
  }
}
