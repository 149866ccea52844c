import { type CausewayError, parseClusterId } from '@causeway/model';
import type {
  DescribeManagerRequest,
  DescribeManagerResponse,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { callUnary } from '@causeway/proto/io';
import { aborted, type Clock, milliseconds } from '@causeway/runtime';
import { clusterConflict, conflictRemark, type Said } from '../clusters.ts';
import type { StubPool } from './manager-stubs.ts';

/**
 * From the first call on, so long is waited for managers that do not say whose they are: before a change, and after a read.
 * They answer out of memory, all at once, so that only one that is silent costs this.
 */
const patience = { change: milliseconds(500), read: milliseconds(300) };

export interface ClusterCheckParts {
  readonly pool: StubPool;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Asks all managers that were given, beside the command's own calls, of which cluster they are. */
export class ClusterCheck {
  readonly #parts: ClusterCheckParts;
  readonly #addresses: readonly string[];
  readonly #said = new Map<string, Said>();
  readonly #over = new AbortController();
  #began: number | undefined;
  #asking: Promise<unknown> = Promise.resolve();

  constructor(parts: ClusterCheckParts, addresses: readonly string[]) {
    this.#parts = parts;
    this.#addresses = addresses;
  }

  /** An answer says it too. */
  note(address: string, cluster: string): void {
    if (parseClusterId(cluster).ok) this.#said.set(address, { ...this.#said.get(address), address, cluster });
  }

  /** Before the first call; does nothing after it. */
  begin(): void {
    if (this.#began !== undefined) return;
    this.#began = this.#parts.clock.now();
    if (this.#addresses.length > 1) this.#asking = Promise.all(this.#addresses.map((address) => this.#ask(address)));
  }

  /** What forbids a change. */
  async conflict(): Promise<CausewayError | undefined> {
    await this.#settle('change');
    return clusterConflict(this.#inOrder());
  }

  /** What is said beside an answer. */
  async remark(answered: string | undefined): Promise<string | undefined> {
    await this.#settle('read');
    return conflictRemark(this.#inOrder(), answered);
  }

  close(): void {
    this.#over.abort();
  }

  async #settle(purpose: keyof typeof patience): Promise<void> {
    const { clock, signal } = this.#parts;
    const rest = (this.#began ?? clock.now()) + patience[purpose] - clock.now();
    const done = new AbortController();
    const asked = this.#asking.then(() => done.abort());
    const either = AbortSignal.any([done.signal, signal, this.#over.signal]);
    if (rest > 0) await Promise.race([clock.sleep(milliseconds(rest), either), asked, aborted(either)]);
    done.abort();
  }

  /** As they were given: the first decides whose the others should be. */
  #inOrder(): readonly Said[] {
    const others = [...this.#said.values()].filter(({ address }) => !this.#addresses.includes(address));
    const given = this.#addresses.flatMap((address) => this.#said.get(address) ?? []);
    return [...given, ...others];
  }

  async #ask(address: string): Promise<void> {
    const { pool, signal } = this.#parts;
    const limits = {
      timeout: patience.change,
      signal: AbortSignal.any([signal, this.#over.signal]),
      onCluster: (id: string) => this.note(address, id),
    };
    try {
      const { manager } = await callUnary<DescribeManagerRequest, DescribeManagerResponse>(
        pool.method(address, 'describeManager'),
        {},
        limits,
      );
      const said = this.#said.get(address);
      if (said !== undefined && manager !== undefined) this.#said.set(address, { ...said, manager: manager.name });
    } catch {
      // One that does not answer is no reason to warn: the command's own calls say so where it matters.
    }
  }
}
