import { expect, test } from 'vitest';
import { Host } from '../testing/host.ts';
import type { AgentApi } from './api.ts';

type Call = (host: Host, reference: string) => Promise<unknown>;

/** Every method: the field that names an existing object, and a call with such a reference. */
const references: Readonly<Record<keyof AgentApi, readonly (readonly [field: string, call: Call])[]>> = {
  attach: [['network', (host, network) => host.attach(network, 'web')]],
  detach: [['endpoint', (host, endpoint) => host.detach(endpoint)]],
  listSandboxes: [],
  getAgentStatus: [],
  verifyHost: [],
};

const cases = Object.entries(references).flatMap(([method, of]) =>
  of.map(([field, call]) => [method, field, call] as const),
);

test.each(cases)('%s refuses an empty %s as invalid without asking managers', async (_, field, call) => {
  const host = await new Host().start();
  host.manager.down = true;
  await expect(call(host, '')).rejects.toMatchObject({ code: 'invalid-argument', data: { field } });
});

test.each(cases)('%s does not find what %s names', async (_, __, call) => {
  const host = await new Host().start();
  await expect(call(host, 'nothing')).rejects.toMatchObject({ kind: 'not-found' });
});
