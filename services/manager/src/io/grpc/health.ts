import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';

export const healthService = 'grpc.health.v1.Health';

/** The process, and what every manager answers. */
const everywhere = ['', 'causeway.v1.ClusterService', 'causeway.v1.NodeService'];

/** What only a leader answers in full. */
const leaderOnly = ['causeway.v1.NetworkService', 'causeway.v1.EndpointService', 'causeway.v1.SessionService'];

/** grpc.health.v1: one entry for the process ("") and one a service. */
export class Health {
  readonly #health = new HealthImplementation();
  #state: 'leading' | 'standing by' | 'draining' = 'standing by';

  constructor(server: Server) {
    this.#health.addToServer(server);
    this.#tell();
  }

  set leads(leads: boolean) {
    if (this.#state === 'draining') return;
    this.#state = leads ? 'leading' : 'standing by';
    this.#tell();
  }

  /** Before anything is refused, so that who asks goes elsewhere first. For good. */
  drain(): void {
    this.#state = 'draining';
    this.#tell();
  }

  #tell(): void {
    for (const service of everywhere) this.#set(service, this.#state !== 'draining');
    for (const service of leaderOnly) this.#set(service, this.#state === 'leading');
  }

  #set(service: string, serving: boolean): void {
    this.#health.setStatus(service, serving ? 'SERVING' : 'NOT_SERVING');
  }
}

export const servedServices: readonly string[] = [...everywhere.slice(1), ...leaderOnly, healthService];
