import { CausewayError, parseName, parseRequestId, unwrap } from '@causeway/model';
import type {
  CreateBackupRequest,
  CreateBackupResponse,
  RemoveManagerRequest,
  RemoveManagerResponse,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Clock } from '@causeway/runtime';
import { type Checksum, createBackup } from '../cluster/backup/create-backup.ts';
import type { Maintenance } from '../cluster/maintenance/maintenance.ts';
import { forgetManager, stillRuns } from '../cluster/membership/forget-manager.ts';
import type { Membership } from '../cluster/membership/membership.ts';
import { RemovalRecord } from '../cluster/membership/removal-record.ts';
import { removeMember } from '../cluster/membership/remove-member.ts';
import { Roster } from '../cluster/roster.ts';
import { RequestLeases } from '../commit/request-leases.ts';
import type { Keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import type { View } from '../store/view.ts';
import { type Call, withinCall } from './call.ts';

export interface StewardModules {
  readonly store: Pick<Store, 'get' | 'txn' | 'grant' | 'members'>;
  /** None: the store is not one of several members. */
  readonly membership?: Membership;
  /** None: the store is nothing to take a snapshot of. */
  readonly maintenance?: Pick<Maintenance, 'snapshot'>;
  readonly view: Pick<View, 'leader' | 'managers' | 'knownManagers' | 'revision'>;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly createChecksum: () => Checksum;
}

export interface StewardSettings {
  /** Of this manager. */
  readonly name: string;
  readonly address: string;
  readonly version: string;
}

/** The part of ClusterService that is about the managers and the store themselves. Every manager answers it, leader or not. */
export class Steward {
  readonly #modules: StewardModules;
  readonly #settings: StewardSettings;
  readonly #leases: RequestLeases;

  constructor(modules: StewardModules, settings: StewardSettings) {
    this.#modules = modules;
    this.#leases = new RequestLeases(modules);
    this.#settings = settings;
  }

  async removeManager(request: RemoveManagerRequest, call: Call): Promise<RemoveManagerResponse> {
    const { requestId, force } = request;
    const { store, keys, membership, view, clock } = this.#modules;
    const id = unwrap(parseRequestId(requestId));
    const name = unwrap(parseName(request.name));
    const registered = view.managers.get(name);
    const runs = registered !== undefined || [this.#settings.name, view.leader?.name].includes(name);
    const hasNoMember = (registered ?? view.knownManagers.get(name)?.value)?.etcdMember === '';
    if (runs && (membership === undefined || hasNoMember)) throw stillRuns(name);
    const content = JSON.stringify({ name, force });
    const record = new RemovalRecord({ store, keys, leases: this.#leases }, { id, content });
    const roster = new Roster({ store, keys });
    if (membership === undefined || hasNoMember) await forgetManager({ roster, record }, name);
    else
      await withinCall(clock, call, (signal) =>
        removeMember({ membership, store, roster, record, clock }, { name, force }, signal),
      );
    return {};
  }

  async *createBackup(_request: CreateBackupRequest, signal: AbortSignal): AsyncGenerator<CreateBackupResponse, void> {
    const { maintenance } = this.#modules;
    if (maintenance === undefined)
      throw new CausewayError(
        'capability-missing',
        'this manager’s store is in its memory: there is nothing to back up',
      );
    const { header, file } = await createBackup({ ...this.#modules, maintenance }, this.#settings.version, signal);
    const { clusterId, epoch, revision, schema, version, time } = header;
    yield {
      header: { clusterId, epoch, revision, schema, version, timeMs: BigInt(Math.trunc(time)) },
      chunk: new Uint8Array(),
    };
    for await (const chunk of file) yield { chunk };
  }
}
