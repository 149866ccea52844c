import type { UpdateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { minutes } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { type Outcome, runLine, type World } from '../testing/run-line.ts';
import { encrypting, stuck } from '../testing/worlds.ts';

async function run(line: string, world: World): Promise<Outcome> {
  const clock = new FakeClock();
  return await clock.until(runLine(line, { ...world, clock }), minutes(2));
}

test('the command waits until the network is encrypted', async () => {
  const { stdout, code, calls } = await run('network update red --encrypt -o json', encrypting);
  expect(JSON.parse(stdout)).toMatchObject({ driver: 'encrypted-overlay', encrypted: true, becomes: null });
  expect(calls.map(({ method }) => method)).toEqual(['managers.updateNetwork', 'managers.getNetwork']);
  expect(calls[0]?.request as UpdateNetworkRequest).toMatchObject({ encrypt: true, noEncrypt: false });
  expect(code).toBe(0);
});

test('a change that does not end in time goes on: exit 5, with what it waits for', async () => {
  const { stdout, stderr, code, calls } = await run('network update red --no-encrypt --timeout 5s -o json', stuck);
  expect(JSON.parse(stdout)).toMatchObject({ driver: 'dual-overlay', becomes: 'encrypted-overlay' });
  expect(stderr).toContain(
    'network red still changes: it becomes encrypted-overlay, and is dual-overlay now: h3 has no session; the change goes on',
  );
  expect(calls[0]?.request as UpdateNetworkRequest).toMatchObject({ encrypt: false, noEncrypt: true });
  expect(code).toBe(5);
});

test('without either option, the command asks for neither and does not wait', async () => {
  const { calls } = await run('network update red --mtu 1300', encrypting);
  expect(calls).toHaveLength(1);
  expect(calls[0]?.request as UpdateNetworkRequest).toMatchObject({ encrypt: false, noEncrypt: false });
});
