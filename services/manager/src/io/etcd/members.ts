import type { Credentials } from '@causeway/proto/io';
import type { Clock, Duration } from '@causeway/runtime';
import type { StoreMemberStatus } from '../../store/store.ts';
import { EtcdPool } from './pool.ts';

export interface MembersParts {
  readonly clock: Clock;
  readonly credentials?: Credentials;
  readonly pool: EtcdPool;
}

export interface MembersSettings {
  readonly callTimeout: Duration;
  readonly attemptTimeout: Duration;
}

/** The members as any one of them knows them, and how each is doing as it says itself, asked at its own client URL. */
export async function listMembers(
  parts: MembersParts,
  settings: MembersSettings,
): Promise<readonly StoreMemberStatus[]> {
  const { pool } = parts;
  const { members } = await pool.repeat('listing etcd members', pool.bounds(), ({ clients }, bounds) =>
    pool.call(clients.cluster.memberList.bind(clients.cluster), {}, bounds),
  );
  return await Promise.all(
    members.map(async (member) => ({
      name: member.name,
      clientUrls: member.clientURLs,
      healthy: await isHealthy(parts, settings, member.clientURLs),
    })),
  );
}

/** Answers, has a leader, and raises no alarm. A member that has not started yet has no client URL. */
async function isHealthy(parts: MembersParts, settings: MembersSettings, urls: readonly string[]): Promise<boolean> {
  if (urls.length === 0) return false;
  try {
    const pool = new EtcdPool(parts, { ...settings, callTimeout: settings.attemptTimeout, endpoints: urls });
    try {
      const status = await pool.repeat('asking an etcd member', pool.bounds(), ({ clients }, bounds) =>
        pool.call(clients.maintenance.status.bind(clients.maintenance), {}, bounds),
      );
      return status.leader !== '0' && status.errors.length === 0;
    } finally {
      pool.close();
    }
  } catch {
    return false;
  }
}
