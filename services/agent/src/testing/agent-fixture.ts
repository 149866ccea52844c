import { Mac } from '@causeway/model';
import { ClaimEndpointRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { seconds } from '@causeway/runtime';
import { expect } from 'vitest';
import { Host } from './host.ts';

/** A host with one container on network blue, and two peers elsewhere. */
export async function busyHost(): Promise<Host> {
  const h = new Host();
  h.manager.network('blue');
  await h.start();
  h.manager.peer('blue', 200);
  h.manager.peer('blue', 201);
  await h.attach('blue', 'web');
  await h.settle(seconds(1));
  return h;
}

export const ghost = Mac('02:42:00:00:00:99');

/** A host without containers, at managers that have network blue. */
export async function idleHost(kernel: ConstructorParameters<typeof Host>[0] = {}): Promise<Host> {
  const made = new Host(kernel);
  made.manager.network('blue');
  return await made.start();
}

/** The claim on blue of an attach that was not finished, because its agent was killed. Returns the request id. */
export async function abandonedClaim(h: Host, name: string): Promise<string> {
  const { node } = await h.status();
  const requestId = h.uuid();
  const request = ClaimEndpointRequest.create({ requestId, network: 'blue', name, nodeId: node?.id ?? '' });
  await h.manager.claimEndpoint('10.0.0.1:7443', request, { timeout: seconds(1) });
  return requestId;
}

/** Nothing of an endpoint is left: not at the managers, not on disk, not in the kernel. */
export async function expectNothingLeft(h: Host): Promise<void> {
  await h.settle(seconds(1));
  expect(h.manager.rows('blue')).toEqual([]);
  expect((await h.agent.api.listSandboxes()).sandboxes).toEqual([]);
  expect(await h.kernel.ownNetns()).toEqual([]);
  for (const [path, { links }] of h.kernel.namespaces) {
    if (path.startsWith('/run/netns/')) expect([...links.keys()], path).toEqual([]);
  }
}
