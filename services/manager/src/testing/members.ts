import type { ClientCredentials, LiveCredential } from '@causeway/identity/io';
import { TestCluster } from '@causeway/identity/io/testing';
import type { NodeId } from '@causeway/model';

/** The cluster of the managers and callers in tests that use gRPC. */
export const testCluster = new TestCluster();

/** For connections of an operator. */
export const operator = testCluster.client('operator', 'ops');

const agents = new Map<NodeId, ClientCredentials>();

/** For connections of the agent of that node. */
export function agentOf(node: NodeId): ClientCredentials {
  const agent = agents.get(node) ?? testCluster.client('agent', node);
  agents.set(node, agent);
  return agent;
}

/** What the server of a manager proves its name with. */
export function serverIdentity(manager: string): { readonly credential: LiveCredential } {
  return { credential: testCluster.member('manager', manager) };
}
