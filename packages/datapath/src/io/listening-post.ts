import { closeSync } from 'node:fs';
import { KernelError, type MessageReader, NETLINK_ROUTE } from '@causeway/netlink';
import { Monitor, NetlinkSocket, openNewNetns } from '@causeway/netlink/io';
import { watchedInContainers } from '../deviations.ts';
import { ask } from '../kinds/ask.ts';
import { getNsid, readNsid, setNsid } from '../wire/nsid.ts';

const groups = watchedInContainers.flatMap(({ real }) => real.groups ?? []);
/**
 * Milliseconds. A process in a container can cause events without end. One read takes at most 256 messages, so the post takes
 * about 10,000 a second: a few percent of a core. An attach causes about 20.
 */
const rest = 25;
/** Milliseconds between two reports of lost messages, because each makes the agent read all containers. */
const lossPause = 10_000;

export interface PostListener {
  onEvent(nsid: number, message: MessageReader): void;
  onBatchEnd(): void;
  /** Messages of any namespace may be lost. */
  onLost(): void;
}

/**
 * Hears the notifications of many namespaces on one socket, and keeps none of them alive: a namespace of its own, which is empty,
 * and in which each other namespace has a number (nsid). The kernel forgets the number when the other namespace ends.
 */
export class ListeningPost {
  readonly #netns: number;
  readonly #socket: NetlinkSocket;
  readonly #monitor: Monitor;
  #nsids = 0;
  #lostAt = Number.NEGATIVE_INFINITY;
  #reporting: NodeJS.Timeout | undefined;

  constructor(listener: PostListener, settings: { readonly onLost?: (errno: string) => void } = {}) {
    this.#netns = openNewNetns();
    const { onLost } = settings;
    this.#socket = new NetlinkSocket(NETLINK_ROUTE, this.#netns);
    this.#monitor = new Monitor(
      {
        onListen: () => [],
        onAnswer: () => undefined,
        onEvent: (message, nsid) => nsid !== undefined && listener.onEvent(nsid, message),
        onUnreadable: () => this.#lost(listener),
        onBatchEnd: () => listener.onBatchEnd(),
        onOverrun: () => this.#lost(listener),
      },
      { protocol: NETLINK_ROUTE, groups, netns: this.#netns, allNsids: true, rest, ...(onLost && { onLost }) },
    );
  }

  /** From now on the post hears this namespace. Returns its number. */
  listenTo(netns: number): number {
    try {
      // A number of our own is never given twice, unlike those that the kernel chooses.
      this.#socket.request(setNsid(netns, ++this.#nsids));
      return this.#nsids;
    } catch (error) {
      if (!(error instanceof KernelError) || error.errno !== 'EEXIST') throw error;
    }
    const nsid = ask(this.#socket, getNsid(netns), readNsid);
    if (nsid === undefined) throw new KernelError('ENOENT', 'a namespace has a number and has none');
    return nsid;
  }

  close(): void {
    clearTimeout(this.#reporting);
    this.#monitor.close();
    this.#socket.close();
    closeSync(this.#netns);
  }

  #lost(listener: PostListener): void {
    const wait = Math.max(0, this.#lostAt + lossPause - performance.now());
    this.#reporting ??= setTimeout(() => {
      this.#reporting = undefined;
      this.#lostAt = performance.now();
      listener.onLost();
    }, wait).unref();
  }
}
