import { CausewayError } from '@causeway/model';
import type { UnaryMethod } from '@causeway/proto/io';
import type { Membership, StoreMemberStatus } from '../../cluster/membership/membership.ts';
import { isMemberUnknown, isNoLearner, isNotInSync, writeFailure } from '../etcd/failure.ts';
import { agreedMembers, type ClusterAccess } from '../etcd/members.ts';
import type { EtcdEndpoint } from '../etcd/pool.ts';
import { atMember } from './at-member.ts';

/** Membership by etcd's Cluster service, asked at any voting member. */
export class EtcdMembership implements Membership {
  readonly #access: ClusterAccess;

  constructor(access: ClusterAccess) {
    this.#access = access;
  }

  list(): Promise<readonly StoreMemberStatus[]> {
    return agreedMembers(this.#access);
  }

  async add(peerUrl: string): Promise<string> {
    const request = { peerURLs: [peerUrl], isLearner: true };
    const reply = await this.#change(
      'adding an etcd member',
      ({ clients }) => clients.cluster.memberAdd.bind(clients.cluster),
      request,
    );
    if (reply.member === undefined) throw new CausewayError('internal', 'etcd added a member and does not say which');
    return String(reply.member.iD);
  }

  async promote(id: string): Promise<'promoted' | 'not-in-sync'> {
    try {
      await this.#change(
        'promoting an etcd member',
        ({ clients }) => clients.cluster.memberPromote.bind(clients.cluster),
        { iD: BigInt(id) },
        (error) => isNotInSync(error) || isNoLearner(error) || isMemberUnknown(error),
      );
      return 'promoted';
    } catch (error) {
      if (isNoLearner(error)) return 'promoted';
      if (isNotInSync(error)) return 'not-in-sync';
      if (isMemberUnknown(error))
        throw new CausewayError('manager-removed', `etcd member ${id} was removed from the cluster`, { member: id });
      throw error;
    }
  }

  async remove(id: string): Promise<void> {
    await this.#relieve(id);
    try {
      await this.#change(
        'removing an etcd member',
        ({ clients }) => clients.cluster.memberRemove.bind(clients.cluster),
        { iD: BigInt(id) },
        isMemberUnknown,
      );
    } catch (error) {
      if (!isMemberUnknown(error)) throw error;
    }
  }

  async setPeerUrl(id: string, peerUrl: string): Promise<void> {
    await this.#change(
      'changing an etcd member’s address',
      ({ clients }) => clients.cluster.memberUpdate.bind(clients.cluster),
      { iD: BigInt(id), peerURLs: [peerUrl] },
    );
  }

  /**
   * Lets etcd's leader hand over before it is removed: an election would take longer than the managers' leader waits.
   * Best effort.
   */
  async #relieve(id: string): Promise<void> {
    try {
      const members = await this.list();
      const leaving = members.find((member) => member.id === id && member.leader);
      const next = members.find(({ healthy, learner, leader }) => healthy && !learner && !leader);
      if (leaving === undefined || next === undefined) return;
      const { attemptTimeout } = this.#access;
      await atMember(
        this.#access,
        { urls: leaving.clientUrls, limit: attemptTimeout, what: 'moving the lead' },
        (pool, { clients }, bounds) =>
          pool.call(clients.maintenance.moveLeader.bind(clients.maintenance), { targetID: BigInt(next.id) }, bounds),
      );
    } catch {
      // Without the handover the removal leads to an election.
    }
  }

  /** Sent once, like a transaction: if only the reply was lost, a second try would fail because of the first. */
  async #change<Request, Response>(
    what: string,
    method: (endpoint: EtcdEndpoint) => UnaryMethod<Request, Response>,
    request: Request,
    keep: (error: unknown) => boolean = () => false,
  ): Promise<Response> {
    const { pool } = this.#access;
    const bounds = pool.bounds(this.#access.signal);
    const endpoint = await pool.ready(bounds);
    try {
      return await pool.call(method(endpoint), request, bounds);
    } catch (error) {
      if (keep(error)) throw error;
      pool.pass(endpoint);
      throw writeFailure(error, `${what} at ${endpoint.url}`);
    }
  }
}
