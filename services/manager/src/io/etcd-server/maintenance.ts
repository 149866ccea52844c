import {
  AlarmRequest_AlarmAction,
  AlarmType,
  RangeRequest,
  type SnapshotResponse,
} from '@causeway/proto/gen/etcd/rpc.js';
import { minutes } from '@causeway/runtime';
import type { Maintenance } from '../../cluster/maintenance/maintenance.ts';
import type { RaisedAlarm, StoreMember } from '../../store/store.ts';
import { isCompacted, readFailure } from '../etcd/failure.ts';
import { type ClusterAccess, knownMembers } from '../etcd/members.ts';
import { leaderRequired } from '../etcd/pool.ts';
import { atMember } from './at-member.ts';

/** After a long time without compaction there is much to remove. */
const compactionLimit = minutes(5);
/**
 * etcd rewrites the whole database: about a second for each 100 MiB on an average disk; etcd is made for 8 GiB at most.
 */
const defragmentLimit = minutes(10);
/** The stream of a snapshot goes on for as long as parts arrive. */
const snapshotLimit = minutes(60);

/** Maintenance by etcd's own service. */
export class EtcdMaintenance implements Maintenance {
  readonly #access: ClusterAccess;

  constructor(access: ClusterAccess) {
    this.#access = access;
  }

  async compact(revision: bigint): Promise<void> {
    const { pool } = this.#access;
    const request = { revision, physical: true };
    const bounds = pool.bounds(this.#access.signal, compactionLimit);
    const endpoint = await pool.ready(pool.bounds(this.#access.signal));
    try {
      await pool.call(endpoint.clients.kv.compact.bind(endpoint.clients.kv), request, bounds);
    } catch (error) {
      // Another process has compacted up to this revision or further.
      if (isCompacted(error)) return;
      pool.pass(endpoint);
      throw readFailure(error, `compacting at ${endpoint.url}`);
    }
  }

  async defragment({ name, clientUrls }: StoreMember): Promise<void> {
    await atMember(
      this.#access,
      { urls: clientUrls, limit: defragmentLimit, what: `defragmenting ${name}` },
      (pool, { clients }, bounds) => pool.call(clients.maintenance.defragment.bind(clients.maintenance), {}, bounds),
    );
  }

  async disarm(alarm: RaisedAlarm): Promise<void> {
    const { pool } = this.#access;
    // An alarm belongs to a member. The members' status shows which members have it, and each of these is disarmed on its
    // own.
    for (const member of await knownMembers(this.#access))
      if (member.alarms.includes(alarm))
        await pool.repeat('disarming', pool.bounds(this.#access.signal), ({ clients }, bounds) =>
          pool.call(
            clients.maintenance.alarm.bind(clients.maintenance),
            { action: AlarmRequest_AlarmAction.DEACTIVATE, memberID: BigInt(member.id), alarm: AlarmType[alarm] },
            bounds,
          ),
        );
  }

  async *snapshot(signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    const { pool } = this.#access;
    const endpoint = await pool.ready(pool.bounds(signal));
    // A member that lags would give an old snapshot. After a read that needs a majority it does not lag.
    await pool
      .call(
        endpoint.clients.kv.range.bind(endpoint.clients.kv),
        RangeRequest.create({ key: Buffer.of(0) }),
        pool.bounds(signal),
      )
      .catch((error: unknown) => {
        throw readFailure(error, `reading at ${endpoint.url}`);
      });
    const stream = endpoint.clients.maintenance.snapshot(
      {},
      leaderRequired(),
      pool.options(pool.bounds(signal, snapshotLimit)),
    );
    const cancel = (): void => stream.cancel();
    signal.addEventListener('abort', cancel);
    if (signal.aborted) cancel();
    try {
      for await (const { blob } of stream as AsyncIterable<SnapshotResponse>) yield blob;
    } catch (error) {
      throw readFailure(error, `reading a snapshot from ${endpoint.url}`);
    } finally {
      signal.removeEventListener('abort', cancel);
      cancel();
    }
  }
}
