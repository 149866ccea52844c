import { type FSWatcher, watch as watchDirectory } from 'node:fs';
import { dirname } from 'node:path';
import { ChangeSet } from '../changes.ts';
import type { NetnsIdentity, OnDirt, Watch } from '../kernel.ts';
import { home, type NetnsPath } from '../state.ts';
import { Monitor, type MonitorSettings } from './monitor.ts';
import { closeNamespace, type OpenNamespace, openNamespace } from './namespaces.ts';
import { identifyNetns, identityOf, leadsTo } from './netns.ts';

interface Entry {
  readonly path: NetnsPath;
  readonly identity: NetnsIdentity;
  readonly open: OpenNamespace;
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
    const open = openNamespace(path);
    if (open === undefined) return undefined;
    try {
      const monitor = new Monitor(open.fd, onDirt, this.#settings);
      return this.#keep({ path, identity: open.fd === undefined ? '' : identityOf(open.fd), open, monitor, onDirt });
    } catch (error) {
      closeNamespace(open);
      throw error;
    }
  }

  /** The namespace the path leads to, where a watch has it open. */
  held(path: NetnsPath): OpenNamespace | undefined {
    for (const entry of this.#entries) {
      if (entry.path === path && (path === home || leadsTo(path, entry.identity))) return entry.open;
    }
    return undefined;
  }

  /** Ends the watches of a namespace that is about to be deleted. */
  end(path: NetnsPath): void {
    for (const entry of [...this.#entries]) if (entry.path === path) this.#end(entry);
  }

  /** Without a word to anybody. */
  close(): void {
    for (const entry of [...this.#entries]) this.#drop(entry);
  }

  #keep(entry: Entry): Watch {
    this.#entries.add(entry);
    if (entry.path !== home) this.#watchDirectory(dirname(entry.path));
    return { close: () => this.#drop(entry) };
  }

  #end(entry: Entry): void {
    this.#drop(entry);
    entry.onDirt('gone', new ChangeSet());
  }

  #drop(entry: Entry): void {
    if (!this.#entries.delete(entry)) return;
    entry.monitor.close();
    closeNamespace(entry.open);
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
