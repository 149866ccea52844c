import type { NodeId } from '@causeway/model';
import type { HostReport } from '@causeway/proto/gen/causeway/v1/session_service.js';

/** What a host last said of itself. Kept after its session ends: it is the newest that is known. */
export interface HostFacts {
  /** Differences it has repaired since its agent started. */
  readonly repairs: bigint;
  /** Differences that stand now. */
  readonly drift: number;
  /** Nothing it held before the store was restored waits to be claimed again. */
  readonly recovered: boolean;
}

const unheard: HostFacts = { repairs: 0n, drift: 0, recovered: false };

export class Hosts {
  readonly #facts = new Map<NodeId, HostFacts>();

  reported(node: NodeId, report: HostReport): void {
    const { repairs, drift, recovered } = report;
    this.#facts.set(node, { repairs, drift, recovered });
  }

  of(node: NodeId): HostFacts {
    return this.#facts.get(node) ?? unheard;
  }

  forget(node: NodeId): void {
    this.#facts.delete(node);
  }
}
