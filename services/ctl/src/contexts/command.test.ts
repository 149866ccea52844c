import { MemoryManagers } from '@causeway/enrollment/testing';
import { formatToken, type Role } from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import { minutes } from '@causeway/runtime';
import { FakeClock, SeededRandom } from '@causeway/runtime/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeHost } from '../joining/testing/fake-host.ts';
import { type Outcome, runLine, transcript } from '../testing/run-line.ts';
import { contextCommand } from './command.ts';
import { MemoryContexts } from './testing/memory-contexts.ts';

beforeAll(() => {
  for (const name of ['CAUSEWAY_TOKEN', 'CAUSEWAY_MANAGERS']) vi.stubEnv(name, undefined);
});
afterAll(() => void vi.unstubAllEnvs());

let clock: FakeClock;
let managers: MemoryManagers;
let contexts: MemoryContexts;
const random = new SeededRandom(2);

beforeEach(() => {
  clock = new FakeClock();
  managers = new MemoryManagers({ clock, random: new SeededRandom(1) });
  contexts = new MemoryContexts();
});

async function causeway(line: string): Promise<Outcome> {
  const parts = { contexts, host: new FakeHost(), knock: managers.knock, createKey, user: 'eve' };
  return await clock.until(runLine(line, { clock, random, more: [contextCommand(parts)] }), minutes(2));
}

const tokenOf = (role: Role): string => formatToken(managers.createToken(role));
const add = (name: string, role: Role = 'operator'): Promise<Outcome> =>
  causeway(`context add ${name} --managers 10.0.0.1 --token ${tokenOf(role)}`);

test('what a person sees', async () => {
  const shown: string[] = [];
  const see = async (line: string, token = ''): Promise<void> => {
    const outcome = await causeway(token === '' ? line : `${line} --token ${token}`);
    shown.push(transcript(token === '' ? line : `${line} --token CWAY1-operator-…`, outcome));
  };
  await see('context list');
  await see('context show');
  await see('context add prod --managers 10.0.0.1', tokenOf('operator'));
  await see('context list');
  await see('context add dev --managers 10.0.0.1 --operator eve-2', tokenOf('operator'));
  contexts.damaged.add('broken');
  contexts.home('broken');
  for (const format of ['table', 'json', 'name']) await see(`context list -o ${format}`);
  await see('context use dev');
  await see('context show');
  await see('context show prod -o json');
  await see('context show broken');
  await see('context show prd');
  await see('context remove dev');
  await see('context show');
  await clock.advance(minutes(31 * 24 * 60));
  await see('context list --sort-by name');
  await expect(shown.join('\n')).toMatchFileSnapshot('../golden/context.txt');
});

describe('a context is added', () => {
  test('once, although the command is repeated', async () => {
    const line = `context add prod --managers 10.0.0.1 --token ${tokenOf('operator')}`;
    await causeway(line);
    const { stdout, code } = await causeway(line);
    expect(stdout).toBe('context prod is there already; it is in use\n');
    expect(code).toBe(0);
    expect(contexts.homes.get('prod')?.kept).toMatchObject({ name: { role: 'operator', id: 'eve' } });
  });

  test('for programs', async () => {
    const { stdout } = await causeway(`context add prod --managers 10.0.0.1 --token ${tokenOf('operator')} -o json`);
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'prod',
      inUse: true,
      operator: 'eve',
      managers: ['10.0.0.1:7443'],
    });
  });

  test.each<[string, Role, string]>([
    ['an agent', 'agent', 'this token makes an agent, not an operator'],
    ['a manager', 'manager', 'this token makes a manager, not an operator'],
  ])('not with the token of %s, which stays unused', async (_, role, said) => {
    const { stderr, code } = await add('prod', role);
    expect(stderr).toContain(said);
    expect(code).toBe(1);
    expect(managers.calls).toEqual([]);
  });

  test.each(['current', '../x', 'a/b'])('not with the name %s', async (name) => {
    expect((await add(name)).code).toBe(2);
  });

  test('not without a manager', async () => {
    const { stderr, code } = await causeway(`context add prod --token ${tokenOf('operator')}`);
    expect(stderr).toContain('--managers');
    expect(code).toBe(2);
  });
});

test.each(['use', 'remove', 'show'])('context %s of an unknown context fails with exit 3', async (verb) => {
  await add('prod');
  const { stderr, code } = await causeway(`context ${verb} prd`);
  expect(stderr).toContain('there is no context "prd"; known: prod');
  expect(code).toBe(3);
});

test('completion knows the contexts', async () => {
  await add('prod');
  const outcome = await causeway('__complete -- context use p');
  expect(outcome.stdout).toBe('prod\t\n');
});
