import { CausewayError } from '@causeway/model';
import { type Clock, type Duration, milliseconds, seconds } from '@causeway/runtime';
import { checkTxn } from './check.ts';
import { MemoryBackend } from './memory-backend.ts';
import {
  type Change,
  type Compare,
  defaultTxnOps,
  type KeySpan,
  type KeyValue,
  type Page,
  type PageOptions,
  type Step,
  type Store,
  type StoreLease,
  type StoreMemberStatus,
  type TxnResult,
  type Write,
} from './store.ts';
import { type Break, cannotBeDelivered } from './stream-breaks.ts';

export type MemoryOperation = 'read' | 'txn' | 'lease';

/** What happens to one call. The caller notices a lost request or reply only by its timeout. */
export type MemoryFault = 'none' | 'refused' | 'lost-request' | 'lost-reply';

export interface MemoryStoreParts {
  readonly clock: Clock;
  /** Shared by all stores of one cluster; absent: the store makes its own. */
  readonly backend?: MemoryBackend;
}

export interface MemoryStoreSettings {
  readonly callTimeout?: Duration;
  /** Time from a broken follow to the next try. */
  readonly reconnectDelay?: Duration;
}

/** etcd's default --max-request-bytes. */
const maxRequestBytes = 1.5 * 1024 * 1024;

/**
 * The in-memory twin of etcd, for a cluster in one process, on one clock. Each MemoryStore is one client with its own
 * connection. The test sets all faults, so a simulation with a seed is repeatable.
 */
export class MemoryStore implements Store {
  readonly backend: MemoryBackend;
  readonly maxTxnOps = defaultTxnOps;
  /** Called once for every call, in order. */
  fault: (operation: MemoryOperation) => MemoryFault = () => 'none';
  /** One-way latency, called once for every message. 0: the message arrives at once, in the same turn of the event loop. */
  latency: () => Duration = () => milliseconds(0);
  /** Time until a broken follow is tried again; called for every broken follow. */
  reconnectDelay: () => Duration;

  readonly #clock: Clock;
  readonly #callTimeout: Duration;
  readonly #closed = new AbortController();
  #reachable = true;
  /** Aborts when the connection of the follows breaks. */
  #connection = new AbortController();
  #replayCuts = 0;

  constructor(parts: MemoryStoreParts, settings: MemoryStoreSettings = {}) {
    this.#clock = parts.clock;
    this.backend = parts.backend ?? new MemoryBackend(parts);
    this.#callTimeout = settings.callTimeout ?? seconds(5);
    const { reconnectDelay = milliseconds(50) } = settings;
    this.reconnectDelay = () => reconnectDelay;
  }

  /** Breaks the connection of the follows. They reconnect by themselves. */
  cut(): void {
    const broken = this.#connection;
    this.#connection = new AbortController();
    broken.abort();
  }

  /** Breaks the next `count` connections of follows, after they are made and before they bring anything. */
  cutReplays(count: number): void {
    this.#replayCuts = count;
  }

  /** False: the store refuses calls, and follows bring nothing. */
  setReachable(reachable: boolean): void {
    this.#reachable = reachable;
    this.cut();
  }

  get(key: string): Promise<{ readonly kv?: KeyValue; readonly revision: bigint }> {
    return this.#call('read', ({ history }) => {
      const kv = history.get(key);
      return kv === undefined ? { revision: history.revision } : { kv, revision: history.revision };
    });
  }

  page(span: KeySpan, { limit, newest = false, keysOnly = false }: PageOptions): Promise<Page> {
    return this.#call('read', ({ history }) => {
      const all = history.in(span);
      const some = newest ? all.slice(-limit).reverse() : all.slice(0, limit);
      const kvs = keysOnly ? some.map((kv) => ({ ...kv, value: new Uint8Array() })) : some;
      return { kvs, more: all.length > some.length, revision: history.revision };
    });
  }

  async txn(compares: readonly Compare[], writes: readonly Write[]): Promise<TxnResult> {
    checkTxn(compares, writes, this.maxTxnOps);
    const bytes = writes.reduce(
      (sum, write) => sum + write.key.length + (write.kind === 'put' ? write.value.length : 0),
      0,
    );
    if (bytes > maxRequestBytes)
      throw new CausewayError('message-too-large', `a transaction of ${bytes} bytes: at most ${maxRequestBytes}`);
    return await this.#call('txn', (backend) => backend.txn(compares, writes));
  }

  follow(prefix: string, signal: AbortSignal): AsyncIterable<Change> {
    return this.#changes(prefix, undefined, signal);
  }

  async *watch(prefix: string, after: bigint, signal: AbortSignal): AsyncGenerator<Step> {
    for await (const change of this.#changes(prefix, after, signal)) {
      if (change.kind === 'snapshot') return;
      yield change;
    }
  }

  async *#changes(prefix: string, after: bigint | undefined, signal: AbortSignal): AsyncGenerator<Change> {
    const ended = AbortSignal.any([signal, this.#closed.signal]);
    let last = after;
    let connection: AbortController | undefined;
    let breaks: readonly Break[] = [];
    while (!ended.aborted) {
      if (connection !== this.#connection) {
        if (connection !== undefined) await this.#clock.sleep(this.reconnectDelay(), ended);
        connection = this.#connection;
        if (this.#replayCuts > 0 && last !== undefined) {
          this.#replayCuts--;
          breaks = [...breaks, 'lost'];
          if (cannotBeDelivered(breaks)) [last, breaks] = [undefined, []];
          this.cut();
          continue;
        }
      }
      const open = AbortSignal.any([ended, connection.signal]);
      const change = this.#reachable && !this.backend.frozen ? this.#changeAfter(last, prefix) : undefined;
      if (change === undefined) {
        await this.backend.changed(open);
        continue;
      }
      await this.#travel(open);
      // A change that was in flight when the connection broke never arrives.
      if (open.aborted) continue;
      last = change.revision;
      breaks = [];
      yield change;
    }
  }

  async grant(ttl: Duration): Promise<StoreLease> {
    const { id, ttl: granted } = await this.#call('lease', (backend) => backend.grant(ttl));
    return {
      id,
      ttl: granted,
      renew: (signal) => this.#call('lease', (backend) => backend.renew(id), milliseconds(granted / 2), signal),
      revoke: () => this.revoke(id),
    };
  }

  revoke(lease: bigint): Promise<void> {
    return this.#call('lease', (backend) => backend.revoke(lease));
  }

  async members(): Promise<readonly StoreMemberStatus[]> {
    const revision = await this.#call('read', (backend) => backend.history.revision);
    const place = { id: '1', name: 'memory', peerUrls: [], clientUrls: [], learner: false };
    return [{ ...place, healthy: true, leader: true, size: 0, sizeInUse: 0, revision, lag: 0n, alarms: [] }];
  }

  async close(): Promise<void> {
    this.#closed.abort();
  }

  #changeAfter(last: bigint | undefined, prefix: string): Change | undefined {
    const { history } = this.backend;
    const { revision } = history;
    if (last === undefined || last < history.compacted)
      return { kind: 'snapshot', revision, kvs: history.list(prefix) };
    if (last === revision) return undefined;
    const events = history.since(last, prefix);
    return events.length > 0 ? { kind: 'events', revision, events } : { kind: 'progress', revision };
  }

  async #call<Reply>(
    operation: MemoryOperation,
    request: (backend: MemoryBackend) => Reply,
    timeout: Duration = this.#callTimeout,
    signal?: AbortSignal,
  ): Promise<Reply> {
    const fault = this.fault(operation);
    if (this.#closed.signal.aborted || !this.#reachable || fault === 'refused')
      throw new CausewayError('store-unavailable', 'no connection to the store');
    const timer = new AbortController();
    const over = AbortSignal.any([timer.signal, this.#closed.signal, ...(signal === undefined ? [] : [signal])]);
    const lost = this.#clock.sleep(timeout, over).then(() => {
      throw operation === 'txn'
        ? new CausewayError('timed-out', 'the store did not answer, outcome unknown')
        : new CausewayError('store-unavailable', 'the store did not answer');
    });
    const answered = async (): Promise<Reply> => {
      await this.#travel(over);
      if (fault === 'lost-request' || !this.#reachable) return await lost;
      const reply = await this.backend.serve(() => request(this.backend));
      await this.#travel(over);
      return fault === 'lost-reply' || !this.#reachable ? await lost : reply;
    };
    try {
      return await Promise.race([answered(), lost]);
    } finally {
      timer.abort();
      lost.catch(() => undefined);
    }
  }

  async #travel(signal: AbortSignal): Promise<void> {
    const delay = this.latency();
    if (delay > 0) await this.#clock.sleep(delay, signal);
  }
}
