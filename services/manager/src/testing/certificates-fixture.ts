/** A cluster with a CA, of one manager, and joiners that call it. */

import {
  createRequest,
  type JoinToken,
  parseToken,
  parseTrustBundle,
  type Role,
  readCertificates,
  verifyPeer,
} from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import { type CausewayError, unwrap } from '@causeway/model';
import { JoinRequest, type JoinResponse, type Token } from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import { WatchEventsRequest } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { minutes, randomUuid, seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach } from 'vitest';
import type { CallContext } from '../call/context.ts';
import type { Identity } from '../call/identity.ts';
import type { Manager } from '../manager.ts';
import { createKeys } from '../store/keys.ts';
import { records } from '../store/records/index.ts';
import { callContext } from './call-context.ts';
import { MemoryAgent } from './memory-agent.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { nodeId, scriptNode } from './view-script.ts';

export let cluster: MemoryCluster;
export let manager: Manager;
export const random = new SeededRandom(3);
export const keys = createKeys();
export const uuid = (): string => randomUuid(random);

beforeEach(async () => {
  cluster = new MemoryCluster({ hasCa: true });
  manager = (await cluster.startManager()).manager;
});

afterEach(() => cluster.stop());

/** From now on, all call this manager. */
export function turnTo(other: Manager): void {
  manager = other;
}

export function from(peer: Identity): CallContext {
  return callContext({ peer, remaining: seconds(5) });
}

export const stranger = (address = '10.0.0.7'): CallContext => from({ kind: 'joiner', address });

export async function create(
  role: Role,
  fields: { uses?: number; ttlMs?: bigint; requestId?: string; name?: string } = {},
): Promise<JoinToken> {
  const request = { requestId: uuid(), role, uses: 0, ttlMs: 0n, name: '', ...fields };
  const { secret } = await cluster.answer(manager.api.certificate.createToken(request, cluster.call()));
  return unwrap(parseToken(secret));
}

export const tokens = async (): Promise<readonly Token[]> =>
  (await manager.api.certificate.listTokens({}, cluster.call())).tokens;

export function request(token: JoinToken, fields: Partial<JoinRequest> = {}): JoinRequest {
  return JoinRequest.create({
    requestId: uuid(),
    tokenId: token.id,
    tokenSecret: token.secret,
    certificateRequest: createRequest(createKey()),
    name: 'h1',
    timeMs: BigInt(cluster.clock.wall()),
    ...fields,
  });
}

export const join = (asked: JoinRequest, call = stranger()): Promise<JoinResponse> =>
  cluster.answer(manager.api.certificate.join(asked, call));

export async function refusalOf(asked: JoinRequest, call = stranger()): Promise<string> {
  const error = await join(asked, call).then(
    () => undefined,
    (thrown: CausewayError) => thrown,
  );
  return error === undefined ? 'admitted' : `${error.code}: ${error.message}`;
}

/** As a peer of the cluster verifies it. */
export function peerOf({ chain, roots, clusterId }: JoinResponse): string {
  const trust = unwrap(parseTrustBundle(roots.join('')));
  const sent = unwrap(readCertificates(chain.join('')));
  const expected = { cluster: clusterId as never, roles: ['agent', 'manager', 'operator'] as const, trust };
  const { name } = unwrap(verifyPeer(sent, { ...expected, now: cluster.clock.wall() }));
  return `${name.role}/${name.id}`;
}

export async function connect(node: number): Promise<void> {
  const agent = new MemoryAgent(scriptNode(node));
  agent.hello();
  void manager.accept(agent);
  await cluster.settle();
}

export async function events(): Promise<readonly string[]> {
  await cluster.clock.advance(seconds(1));
  const all: string[] = [];
  const read = async (): Promise<void> => {
    for await (const { event } of manager.api.cluster.watchEvents(WatchEventsRequest.create({}), cluster.call()))
      if (event !== undefined && /^(token|certificate)/.test(event.kind)) all.push(`${event.kind}: ${event.message}`);
  };
  await cluster.answer(read());
  return all;
}

/** As `node remove` writes it. */
export async function remove(node: number, reason: string): Promise<void> {
  const [role, id] = ['agent', nodeId(node)] as const;
  const removal = { role, id, at: cluster.clock.wall(), until: cluster.clock.wall() + minutes(60), reason };
  const value = records.removed.codec.encode(removal);
  await cluster.storeOf(manager).txn([], [{ kind: 'put', key: keys.removed(role, id), value }]);
  await cluster.settle();
}

export async function anotherCluster(): Promise<{ readonly secret: string }> {
  const other = new MemoryCluster({ hasCa: true });
  const { manager: its } = await other.startManager();
  const asked = { requestId: uuid(), role: 'agent', uses: 1, ttlMs: 0n, name: '' };
  const created = await other.answer(its.api.certificate.createToken(asked, other.call()));
  await other.stop();
  return created;
}
