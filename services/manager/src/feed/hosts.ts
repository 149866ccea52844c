import type { NodeId } from '@causeway/model';
import type { HostReport } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { HostHealth } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Moment, never } from '../store/moment.ts';

/** The host's last report in this term. Kept after its session ends, since there is no newer one. */
export interface HostFacts {
  /** How many differences the host has repaired since its agent started. */
  readonly repairs: bigint;
  /** How many differences exist now. */
  readonly drift: number;
  /** When the first of the present differences appeared, or the last one was removed. */
  readonly driftSince: Moment;
  /** How many of these differences are in each network, by id. */
  readonly networkDrift: Readonly<Record<string, number>>;
  /** The host has claimed again everything that it held before the store was restored. */
  readonly recovered: boolean;
  /** Absent: the agent does not report its health, or has not reported yet. */
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

  /** For a new leader: no host has reported to it yet. */
  reset(): void {
    this.#facts.clear();
  }

  forget(node: NodeId): void {
    this.#facts.delete(node);
  }
}
