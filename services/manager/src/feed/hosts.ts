import type { NodeId } from '@causeway/model';
import type { HostReport } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { HostHealth } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Moment, never } from '../store/moment.ts';

/** What a host last said of itself in this term. Kept after its session ends: it is the newest that is known. */
export interface HostFacts {
  /** Differences it has repaired since its agent started. */
  readonly repairs: bigint;
  /** Differences that stand now. */
  readonly drift: number;
  /** When the first of them came, or the last one went. */
  readonly driftSince: Moment;
  /** Of them, those in networks, by id. */
  readonly networkDrift: Readonly<Record<string, number>>;
  /** Nothing it held before the store was restored waits to be claimed again. */
  readonly recovered: boolean;
  /** Absent: its agent does not say, or nothing was heard of it. */
  readonly health?: HostHealth;
}

const unheard: HostFacts = { repairs: 0n, drift: 0, driftSince: never, networkDrift: {}, recovered: false };

export class Hosts {
  readonly #facts = new Map<NodeId, HostFacts>();

  reported(node: NodeId, report: HostReport, now: Moment): void {
    const { repairs, drift, networkDrift, recovered, health } = report;
    const before = this.of(node);
    const isAsBefore = before.drift > 0 === drift > 0;
    const driftSince = isAsBefore ? before.driftSince : now;
    this.#facts.set(node, { repairs, drift, driftSince, networkDrift, recovered, ...(health && { health }) });
  }

  of(node: NodeId): HostFacts {
    return this.#facts.get(node) ?? unheard;
  }

  /** Of a new leader: it has heard of nobody. */
  reset(): void {
    this.#facts.clear();
  }

  forget(node: NodeId): void {
    this.#facts.delete(node);
  }
}
