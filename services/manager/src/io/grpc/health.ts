import { services } from '@causeway/proto/gen/causeway/v1/services.js';
import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { servedNames } from './services.ts';

const healthService = 'grpc.health.v1.Health';

/** The process (""), and services that every manager answers. */
const everywhere = ['', services.cluster.name, services.node.name];

/** Services that the leader answers, and managers that know the leader and forward calls. */
const byLeader = servedNames.map((name) => services[name].name).filter((name) => !everywhere.includes(name));

/** SERVING at the leader only. */
export const leaderService = services.session.name;

/** Services that only the leader itself serves. */
const leaderOnly = [leaderService];

interface Standing {
  readonly leads: boolean;
  /** Another manager leads, and this manager knows its address. */
  readonly forwards: boolean;
}

/** grpc.health.v1: one entry for the process (""), and one for each service. */
export class Health {
  readonly #health = new HealthImplementation();
  #standing: Standing = { leads: false, forwards: false };
  #isDraining = false;

  /** `server`: lets only callers through that may know. */
  constructor(server: Server) {
    this.#health.addToServer(server);
    this.#tell();
  }

  tell(standing: Standing): void {
    if (standing.leads === this.#standing.leads && standing.forwards === this.#standing.forwards) return;
    this.#standing = standing;
    this.#tell();
  }

  /** Reports NOT_SERVING for good, before any call is refused, so that clients go elsewhere first. */
  drain(): void {
    this.#isDraining = true;
    this.#tell();
  }

  #tell(): void {
    const { leads, forwards } = this.#standing;
    const isUp = !this.#isDraining;
    for (const service of everywhere) this.#set(service, isUp);
    for (const service of byLeader) this.#set(service, isUp && (leads || forwards));
    for (const service of leaderOnly) this.#set(service, isUp && leads);
  }

  #set(service: string, serving: boolean): void {
    this.#health.setStatus(service, serving ? 'SERVING' : 'NOT_SERVING');
  }
}

export const servedServices: readonly string[] = [...everywhere.slice(1), ...byLeader, ...leaderOnly, healthService];
