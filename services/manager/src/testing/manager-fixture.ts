/** A manager in memory that leads, and calls to its API. */

import { CausewayError, type ErrorCode } from '@causeway/model';
import type { ClaimEndpointResponse } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { CreateNetworkRequest, DeleteNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { type Network, Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { randomUuid } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach } from 'vitest';
import type { Manager } from '../manager.ts';
import { MemoryAgent } from './memory-agent.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { nodeId, scriptNode } from './view-script.ts';

export let cluster: MemoryCluster;

export let manager: Manager;

export const random = new SeededRandom(1);

beforeEach(async () => {
  cluster = new MemoryCluster();
  manager = (await cluster.startManager()).manager;
});

afterEach(async () => {
  await cluster.stop();
});

export const uuid = (): string => randomUuid(random);

export const removal = (): DeleteNetworkRequest => DeleteNetworkRequest.create({ requestId: uuid(), network: 'blue' });

export async function createNetwork(name = 'blue', second = 66, fields: { mtu?: number } = {}): Promise<Network> {
  const subnets = [`10.${second}.0.0/16`, `fd${second}::/64`].map((prefix) => Subnet.create({ prefix }));
  const request = CreateNetworkRequest.create({ requestId: uuid(), name, subnets, ...fields });
  const { network } = await cluster.answer(manager.api.network.createNetwork(request, cluster.call()));
  if (network === undefined) throw new Error('no network in the answer');
  return network;
}

export async function connect(node: number, to: Manager = manager): Promise<MemoryAgent> {
  const agent = new MemoryAgent(scriptNode(node));
  agent.appliesAtOnce = true;
  agent.hello();
  void to.accept(agent);
  await cluster.settle();
  return agent;
}

export function claim(name: string, node: number, requestId = uuid()): Promise<ClaimEndpointResponse> {
  const request = { requestId, network: 'blue', name, nodeId: nodeId(node), addresses: [], labels: {}, endpointId: '' };
  return cluster.answer(manager.api.endpoint.claimEndpoint(request, cluster.call()));
}

export async function codeOf(failing: Promise<unknown>): Promise<ErrorCode | 'no error'> {
  try {
    await cluster.answer(failing);
    return 'no error';
  } catch (error) {
    if (error instanceof CausewayError) return error.code;
    throw error;
  }
}
