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
 * How long to wait for managers that have not named their cluster, from the first call on: before a change, and after a
 * read. Managers answer this from memory and all at once, so only a silent manager costs this time.
 */
const patience = { change: milliseconds(500), read: milliseconds(300) };

export interface ClusterCheckParts {
  readonly pool: StubPool;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Asks all given managers for their cluster, in parallel with the command's own calls. */
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

  /** An answer also names the manager's cluster. */
  note(address: string, cluster: string): void {
    if (parseClusterId(cluster).ok) this.#said.set(address, { ...this.#said.get(address), address, cluster });
  }

  /** To be called before the first call; later calls do nothing. */
  begin(): void {
    if (this.#began !== undefined) return;
    this.#began = this.#parts.clock.now();
    if (this.#addresses.length > 1) this.#asking = Promise.all(this.#addresses.map((address) => this.#ask(address)));
  }

  /** The error that forbids a change, if any. */
  async conflict(): Promise<CausewayError | undefined> {
    await this.#settle('change');
    return clusterConflict(this.#inOrder());
  }

  /** The remark beside an answer, if any. */
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

  /** In the order in which they were given. The first manager decides which cluster the others should be of. */
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
      // No warning about a manager that does not answer: the command's own calls report this where it matters.
    }
  }
}
