/** Two managers over one store, of which the first leads, and writes through them. */

import type { Ip, Name, Node, NodeId, RequestId } from '@causeway/model';
import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Duration, milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import type { Committed } from '../commit/outcomes.ts';
import { decodeRecord } from '../events/record.ts';
import { claimEndpoint } from '../plan/claim-endpoint.ts';
import { createNetwork } from '../plan/create-network.ts';
import type { Request } from '../plan/intent.ts';
import { registerNode } from '../plan/register-node.ts';
import { createKeys } from '../store/keys.ts';
import { MemoryBackend } from '../store/memory-backend.ts';
import { CoreManager } from './core-manager.ts';
import { plainNetwork } from './plain-network.ts';

export const ttl = seconds(3);

export const keys = createKeys();

export const random = new SeededRandom(42);

export const node: Node = {
  id: '00000000000000a1' as NodeId,
  name: 'h1' as Name,
  dataPath: '192.0.2.1' as Ip,
  underlayMtu: 1500,
  version: '0.1.0',
};

export const requestId = () => randomUuid(random) as RequestId;

export const network = (name: string, prefix = '10.66.0.0/16') => createNetwork(plainNetwork(name, [prefix]));

export const claim = (name: string, addresses: readonly string[] = []) =>
  claimEndpoint({ network: 'blue', name: name as Name, node: node.id, addresses: addresses as readonly Ip[] });

export let clock: FakeClock;

export let backend: MemoryBackend;

export let log: MemoryLog;

export let leader: CoreManager;

export let standby: CoreManager;

beforeEach(async () => {
  clock = new FakeClock();
  backend = new MemoryBackend({ clock });
  log = new MemoryLog();
  leader = await started('m1', 1);
  standby = await started('m2', 2);
  await leader.writer.apply(registerNode(node), { cause: 'set-up' });
});

afterEach(async () => {
  for (const one of [leader, standby]) await clock.until(one.stop(), seconds(60));
  backend.close();
});

export async function started(name: string, seed: number): Promise<CoreManager> {
  const made = new CoreManager({ clock, backend, random: new SeededRandom(seed), log }, { name, ttl });
  await made.start();
  await clock.advance(milliseconds(1));
  return made;
}

export function write<Reply>(
  manager: CoreManager,
  id: RequestId,
  request: Request<Reply>,
  signal?: AbortSignal,
): Promise<Committed<Reply>> {
  return manager.writer.write(id, request, { actor: 'tester', ...(signal !== undefined && { signal }) });
}

/** Every event in the store, in the order of their keys. */
export function events(): readonly Event[] {
  return backend.history.list(keys.events).flatMap(decodeRecord);
}

export const eventTexts = () => events().map(({ kind, endpoint }) => (endpoint === '' ? kind : `${kind} ${endpoint}`));

/** Counts the transactions from now on. */
export function countTxns(): { count: number } {
  const counter = { count: 0 };
  leader.store.fault = (operation) => {
    if (operation === 'txn') counter.count++;
    return 'none';
  };
  return counter;
}

/** A call whose transaction arrives only after `span`, and whose caller learns only that the outcome is unknown. */
export async function makeLate(call: Promise<unknown>, span: Duration): Promise<void> {
  leader.late = () => span;
  leader.store.fault = (operation) => (operation === 'read' ? 'refused' : 'none');
  await expect(clock.until(call, seconds(30))).rejects.toMatchObject({ code: 'timed-out' });
  leader.late = () => undefined;
  leader.store.fault = () => 'none';
}
