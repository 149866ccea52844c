import { CausewayError } from '@causeway/model';
import { GetAgentStatusResponse } from '@causeway/proto/gen/causeway/v1/agent_service.js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type HostVariables, parseVariables } from './host-settings.ts';
import { runLine, type World } from './testing/run-line.ts';
import { networks } from './testing/worlds.ts';

// The variables are set when the tests run inside a lab.
beforeAll(() => {
  vi.stubEnv('CAUSEWAY_MANAGERS', undefined);
  vi.stubEnv('CAUSEWAY_SOCKET', undefined);
});
afterAll(() => void vi.unstubAllEnvs());

const session = { getAgentStatus: async () => GetAgentStatusResponse.create({ manager: '10.0.0.7:7443' }) };
const silent = {
  getAgentStatus: () => Promise.reject(new CausewayError('agent-unavailable', 'no agent on this host')),
};

describe('where the managers are', () => {
  test.each<
    [what: string, line: string, variables: HostVariables, agent: NonNullable<World['agent']>, managers: string[]]
  >([
    ['the flag', 'network list --managers h1', { CAUSEWAY_MANAGERS: 'h2' }, session, ['h1:7443']],
    ['the settings of the agent', 'network list', { CAUSEWAY_MANAGERS: 'h2,h3' }, session, ['h2:7443', 'h3:7443']],
    ['the session of the agent', 'network list', { CAUSEWAY_LISTEN: '0.0.0.0:7443' }, session, ['10.0.0.7:7443']],
    ['the manager of this host', 'network list', { CAUSEWAY_LISTEN: '10.0.0.1:7443' }, silent, ['10.0.0.1:7443']],
    ['one that listens everywhere', 'network list', { CAUSEWAY_LISTEN: '0.0.0.0:7500' }, silent, ['127.0.0.1:7500']],
    ['one that listens everywhere, IPv6', 'network list', { CAUSEWAY_LISTEN: '[::]:7443' }, silent, ['[::1]:7443']],
    ['settings that are wrong', 'network list', { CAUSEWAY_MANAGERS: 'a:b:c:99999x' }, silent, []],
    ['no source names a manager', 'network list', {}, silent, []],
  ])('%s', async (_, line, variables, agent, managers) => {
    const { connection } = await runLine(line, { ...networks, variables, agent });
    expect(connection.settings?.managers).toEqual(managers);
    expect(connection.open).toBe(0);
  });

  test('the environment wins over the settings of the host', async () => {
    vi.stubEnv('CAUSEWAY_MANAGERS', 'h9');
    const { connection, calls } = await runLine('network list', {
      ...networks,
      variables: { CAUSEWAY_MANAGERS: 'h2' },
      agent: session,
    });
    vi.stubEnv('CAUSEWAY_MANAGERS', undefined);
    expect(connection.settings?.managers).toEqual(['h9:7443']);
    expect(calls.map(({ method }) => method)).toEqual(['managers.listNetworks']);
  });

  test('the context of the user wins over the settings of the host', async () => {
    const variables = { CAUSEWAY_MANAGERS: 'h2', CAUSEWAY_SOCKET: '/run/a.sock' };
    const world: World = { ...networks, variables, agent: session, managersOfContext: ['10.0.0.5:7443'] };
    const { connection } = await runLine('network list', world);
    expect(connection.settings).toMatchObject({ managers: ['10.0.0.5:7443'], socket: '/run/a.sock' });
    const said = await runLine('network list --managers h1', world);
    expect(said.connection.settings?.managers).toEqual(['h1:7443']);
  });

  test('the socket is that of the agent’s settings, unless it is said', async () => {
    const world: World = { ...networks, variables: { CAUSEWAY_SOCKET: '/run/a.sock' }, agent: session };
    expect((await runLine('network list', world)).connection.settings?.socket).toBe('/run/a.sock');
    expect((await runLine('network list --socket /run/b.sock', world)).code).toBe(2);
    const before = await runLine('--socket /run/b.sock network list', world);
    expect(before.connection.settings?.socket).toBe('/run/b.sock');
  });

  test('a command that asks no manager asks for none', async () => {
    expect((await runLine('version', { variables: {}, agent: session })).calls).toEqual([]);
  });
});

test.each<[text: string, variables: HostVariables]>([
  ['', {}],
  ['# a comment\nA=1\n\n  B = 2\nC="x y"\nD=\'z\'\nE=a=b \n', { A: '1', C: 'x y', D: 'z', E: 'a=b' }],
  ['CAUSEWAY_MANAGERS=\n', { CAUSEWAY_MANAGERS: '' }],
])('variables of %j', (text, variables) => expect(parseVariables(text)).toEqual(variables));
