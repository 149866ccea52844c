import {
  CausewayError,
  isCausewayError,
  type Name,
  parseName,
  parseReference,
  parseRequestId,
  type RequestId,
  unwrap,
} from '@causeway/model';
import type {
  CreateBackupRequest,
  CreateBackupResponse,
  RemoveManagerRequest,
  RemoveManagerResponse,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { version } from '@causeway/runtime';
import { type CallContext, withinCall } from '../call/context.ts';
import { createBackup } from '../cluster/backup/create-backup.ts';
import { Issuer } from '../cluster/ca/issuer.ts';
import { forgetManager, stillRuns } from '../cluster/membership/forget-manager.ts';
import { RemovalRecord } from '../cluster/membership/removal-record.ts';
import { removeMember } from '../cluster/membership/remove-member.ts';
import { Roster } from '../cluster/roster.ts';
import { RequestLeases } from '../commit/request-leases.ts';
import { expel } from '../plan/expel.ts';
import { nothingToDo } from '../plan/intent.ts';
import { replaceSeal } from '../plan/rotate-ca.ts';
import { createKeys, type Keys } from '../store/keys.ts';
import type { ApiContext } from './modules.ts';
import { whileOutdated } from './while-outdated.ts';

/**
 * The part of ClusterService that changes or copies the cluster of managers. Every manager answers these calls, leader or
 * not. Only the leader can put out a manager that has a certificate, so for that a call ends at the leader.
 */
export class ClusterAdminApi {
  readonly #context: ApiContext;
  readonly #keys: Keys;
  readonly #leases: RequestLeases;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#keys = createKeys(context.settings.prefix);
    this.#leases = new RequestLeases(context.modules);
  }

  async removeManager(request: RemoveManagerRequest, call: CallContext): Promise<RemoveManagerResponse> {
    const { requestId, force } = request;
    const { store, view, clock, operation } = this.#context.modules;
    const membership = operation?.membership;
    const keys = this.#keys;
    const id = unwrap(parseRequestId(requestId));
    const name = unwrap(parseName(unwrap(parseReference(request.name, 'name'))));
    const registered = view.managers.get(name);
    const runs = registered !== undefined || [this.#context.settings.name, view.leader?.name].includes(name);
    const hasNoMember = (registered ?? view.knownManagers.get(name)?.value)?.etcdMember === '';
    if (runs && (membership === undefined || hasNoMember)) throw stillRuns(name);
    const content = JSON.stringify({ name, force });
    const record = new RemovalRecord({ store, keys, leases: this.#leases }, { id, content });
    const roster = new Roster({ store, keys });
    try {
      if (membership === undefined || hasNoMember) await forgetManager({ roster, record }, name);
      else
        await withinCall(clock, call, (signal) =>
          removeMember({ membership, store, roster, record, clock }, { name, force }, signal),
        );
    } catch (error) {
      if (!isCausewayError(error, 'manager-unknown') || this.#standing(name) !== 'trusted') throw error;
    }
    // Also if the record of its certificate was cleaned up: a manager can make itself certificates.
    if (view.ca !== undefined && this.#standing(name) !== 'removed') await this.#expel(name, id, call);
    return {};
  }

  /**
   * Undefined: no certificate under this name is known. A leader of a former version lets a removed manager join without a note that it
   * has: the certificate counts.
   */
  #standing(name: Name): 'trusted' | 'removed' | undefined {
    const { view } = this.#context.modules;
    const manager = { role: 'manager', id: name } as const;
    if (view.records('certificate').get(manager) !== undefined) return 'trusted';
    const removal = view.records('removed').get(manager)?.value;
    if (removal === undefined) return undefined;
    return removal.knownCa === undefined ? 'trusted' : 'removed';
  }

  /** @throws CausewayError not-leader: the call is passed on to the leader, which finds the member removed */
  async #expel(name: Name, cause: RequestId, call: CallContext): Promise<void> {
    this.#context.leading();
    const { actor, peer, method, signal } = call;
    const reason = `manager ${name}, by ${actor}`;
    const issuer = new Issuer(this.#context.modules);
    const sealingKey = issuer.createSealingKey();
    await whileOutdated(async () => {
      const resealed = await issuer.resealed(name, sealingKey);
      await this.#context.modules.writer.apply(
        {
          plan: (planning) => {
            const out = expel({ role: 'manager', id: name }, reason, planning);
            const seal = replaceSeal(resealed, name, planning);
            return {
              ...nothingToDo(undefined),
              compares: [...out.compares, ...seal.compares],
              writes: [...out.writes, ...seal.writes],
            };
          },
        },
        { actor, peer, method, signal, cause },
      );
    });
  }

  async *createBackup(
    _request: CreateBackupRequest,
    { signal }: CallContext,
  ): AsyncGenerator<CreateBackupResponse, void> {
    const { store, clock, operation } = this.#context.modules;
    if (operation === undefined)
      throw new CausewayError(
        'capability-missing',
        'this manager’s store is in its memory: there is nothing to back up',
      );
    const { header, file } = await createBackup({ ...operation, store, clock, keys: this.#keys }, version, signal);
    const { clusterId, epoch, revision, schema, time } = header;
    yield {
      header: { clusterId, epoch, revision, schema, version: header.version, timeMs: BigInt(Math.trunc(time)) },
      chunk: new Uint8Array(),
    };
    for await (const chunk of file) yield { chunk };
  }
}
