import { type Clock, milliseconds } from '@causeway/runtime';
import type { Op } from '../../kinds/table.ts';
import type { FakeNamespace } from './host.ts';

/** How long the other end of a new pair may take to be up before the pair is reported as changed. */
const carrierWithin = milliseconds(500);

/** An op that changes links. */
interface Cause {
  readonly op: Op;
  /** The namespace of the op. */
  readonly namespace: FakeNamespace | undefined;
  /** The op came through `apply`. */
  readonly isOwn: boolean;
}

/** Pairs that `apply` has made, until both ends are up. See Kernel.watch: the ops that make them are not reported. */
export class NewPairs {
  readonly #clock: Clock;
  readonly #onLate: (namespace: FakeNamespace, name: string) => void;
  readonly #pairs = new Map<FakeNamespace, Map<string, AbortController>>();

  constructor(parts: { readonly clock: Clock; readonly onLate: (namespace: FakeNamespace, name: string) => void }) {
    this.#clock = parts.clock;
    this.#onLate = parts.onLate;
  }

  /** A link changes, because of the op. Returns whether the change is not reported. */
  takes(namespace: FakeNamespace, name: string, { op, namespace: of, isOwn }: Cause): boolean {
    const isDirect = of === namespace && nameIn(op) === name;
    if (isDirect && isOwn && op.op === 'link.add' && op.link.kind === 'veth') {
      void this.#wait(namespace, name);
      return true;
    }
    if (this.#pairs.get(namespace)?.has(name) !== true) return false;
    if (isDirect && isOwn && op.op === 'link.set') return true;
    this.#end(namespace, name);
    return !isDirect && isUp(namespace, name);
  }

  close(): void {
    for (const pairs of this.#pairs.values()) for (const over of pairs.values()) over.abort();
    this.#pairs.clear();
  }

  async #wait(namespace: FakeNamespace, name: string): Promise<void> {
    const over = new AbortController();
    const pairs = this.#pairs.get(namespace) ?? new Map<string, AbortController>();
    this.#pairs.set(namespace, pairs.set(name, over));
    await this.#clock.sleep(carrierWithin, over.signal);
    if (over.signal.aborted) return;
    this.#end(namespace, name);
    this.#onLate(namespace, name);
  }

  #end(namespace: FakeNamespace, name: string): void {
    this.#pairs.get(namespace)?.get(name)?.abort();
    this.#pairs.get(namespace)?.delete(name);
  }
}

/** Both ends are up. */
function isUp(namespace: FakeNamespace, name: string): boolean {
  const link = namespace.links.get(name);
  const other = link?.other?.namespace.links.get(link.other.name);
  return link?.link.up === true && other?.link.up === true;
}

function nameIn(op: Op): string | undefined {
  if (op.op === 'link.add') return op.link.name;
  return op.op === 'link.set' || op.op === 'link.delete' ? op.name : undefined;
}
