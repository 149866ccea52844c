import { CausewayError, isCausewayError } from '@causeway/model';
import type {
  CreateBackupRequest,
  CreateBackupResponse,
  ListManagersRequest,
  ListManagersResponse,
  RemoveManagerRequest,
  RemoveManagerResponse,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Clock } from '@causeway/runtime';
import { type Checksum, createBackup } from '../backup/create.ts';
import type { Maintenance } from '../maintenance/maintenance.ts';
import type { Membership } from '../membership/membership.ts';
import { listManagers } from '../membership/registry.ts';
import { removeMember } from '../membership/remove-member.ts';
import type { Keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import type { View } from '../store/view.ts';
import { type Call, withinCall } from './call.ts';
import { managersToMessages } from './managers.ts';

export interface StewardModules {
  readonly store: Pick<Store, 'get' | 'list'>;
  /** None: the store is not one of several members. */
  readonly membership?: Membership;
  /** None: the store is nothing to take a snapshot of. */
  readonly maintenance?: Pick<Maintenance, 'snapshot'>;
  readonly view: Pick<View, 'leader' | 'revision'>;
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

  constructor(modules: StewardModules, settings: StewardSettings) {
    this.#modules = modules;
    this.#settings = settings;
  }

  async listManagers(_request: ListManagersRequest, call: Call): Promise<ListManagersResponse> {
    const { store, keys, view, clock } = this.#modules;
    const records = await withinCall(clock, call, () => listManagers(store, keys));
    return { managers: managersToMessages(records, view, this.#settings) };
  }

  /** Repeated after a lost reply it finds the member gone and the manager not yet: that is the same success. */
  async removeManager({ name, force }: RemoveManagerRequest, call: Call): Promise<RemoveManagerResponse> {
    const { store, keys, membership, clock } = this.#modules;
    return await withinCall(clock, call, async (signal) => {
      const record = (await listManagers(store, keys)).find((manager) => manager.name === name);
      if (record?.etcdMember === '' || membership === undefined) {
        const message = `${name} supervises no etcd member: stop it, and it is no manager any more`;
        throw new CausewayError('invalid-argument', message, { field: 'name', value: name });
      }
      try {
        await removeMember({ membership, clock }, { name, force }, signal);
      } catch (error) {
        if (record === undefined || !isCausewayError(error, 'manager-unknown')) throw error;
      }
      return {};
    });
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
