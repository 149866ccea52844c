import { isCausewayError } from '@causeway/model';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { parseManagers } from './settings.ts';
import { runLine, type World } from './testing/run-line.ts';

describe('manager addresses', () => {
  test.each([
    ['10.0.0.1:7443', ['10.0.0.1:7443']],
    ['10.0.0.1', ['10.0.0.1:7443']],
    ['10.0.0.1:1, 10.0.0.2:2,', ['10.0.0.1:1', '10.0.0.2:2']],
    ['manager.example', ['manager.example:7443']],
    ['fd90::1', ['[fd90::1]:7443']],
    ['[fd90::1]', ['[fd90::1]:7443']],
    ['[fd90::1]:99', ['[fd90::1]:99']],
    ['', []],
  ])('%s', (text, addresses) => {
    expect(parseManagers(text)).toEqual(addresses);
  });

  test.each(['10.0.0.1:', ':7443', 'a b', '10.0.0.1:0', '10.0.0.1:65536', 'http://10.0.0.1:7443', '[fd90::1'])(
    '%s is none',
    (text) => {
      expect(() => parseManagers(text)).toThrow(
        expect.toSatisfy((error) => isCausewayError(error, 'invalid-argument')),
      );
    },
  );
});

describe('a setting said twice', () => {
  const world: World = { managers: { listNetworks: async () => ({ networks: [], revision: 1n, nextPageToken: '' }) } };
  const settings = async (line: string): Promise<unknown> => (await runLine(line, world)).connection.settings;

  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test('nothing said: the defaults', async () => {
    vi.stubEnv('CAUSEWAY_MANAGERS', undefined);
    vi.stubEnv('CAUSEWAY_SOCKET', undefined);
    expect(await settings('network list')).toMatchObject({
      managers: [],
      socket: '/run/causeway/agent.sock',
      timeout: 10_000,
    });
  });

  test('the environment counts', async () => {
    vi.stubEnv('CAUSEWAY_MANAGERS', 'env:1');
    vi.stubEnv('CAUSEWAY_SOCKET', '/env.sock');
    expect(await settings('network list')).toMatchObject({ managers: ['env:1'], socket: '/env.sock' });
  });

  test('before the noun, it wins over the environment', async () => {
    vi.stubEnv('CAUSEWAY_MANAGERS', 'env:1');
    expect(await settings('--managers root:1 --timeout 3s network list')).toMatchObject({
      managers: ['root:1'],
      timeout: 3_000,
    });
  });

  test('after the verb, it wins over all', async () => {
    vi.stubEnv('CAUSEWAY_MANAGERS', 'env:1');
    expect(await settings('--managers root:1 network list --managers leaf:1')).toMatchObject({ managers: ['leaf:1'] });
  });

  test('the output format too', async () => {
    expect((await runLine('-o json network list', world)).stdout).toBe('[]\n');
    expect((await runLine('-o json network list -o name', world)).stdout).toBe('');
  });
});
