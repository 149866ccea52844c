import { seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runLine, type World } from '../testing/run-line.ts';
import { status } from '../testing/samples.ts';
import { attach, standbys } from '../testing/worlds.ts';

// The variable is set when the tests run inside a lab.
beforeAll(() => void vi.stubEnv('CAUSEWAY_MANAGERS', 'h1'));
afterAll(() => void vi.unstubAllEnvs());

const hangs = () => new Promise<never>(() => undefined);

const silence = (): AsyncIterable<never> => ({ [Symbol.asyncIterator]: () => ({ next: hangs }) });

/** Servers that answer nothing, except that the managers report etcd: two of its three members are gone. */
const world: World = {
  managers: {
    createNetwork: hangs,
    updateNetwork: hangs,
    deleteNetwork: hangs,
    reserveAddress: hangs,
    releaseAddress: hangs,
    detachEndpoint: hangs,
    removeManager: hangs,
    drainNode: hangs,
    undrainNode: hangs,
    removeNode: hangs,
    checkClaims: hangs,
    verify: hangs,
    listNetworks: hangs,
    watchEvents: silence,
    getStatuses: async () => {
      const members = (status.store?.members ?? []).map((member, i) => ({
        ...member,
        healthy: false,
        leader: false,
        revision: i === 0 ? 42n : 0n,
      }));
      const { leader: _, ...rest } = status;
      return [{ ...rest, managers: standbys, store: { members, revision: 42n } }];
    },
  },
  agent: { attach: hangs, detach: hangs },
};

/** Commands that change something, and the command that shows whether the change was made. */
const changes: readonly (readonly [line: string, seenBy: string])[] = [
  ['network create blue', 'causeway network show blue'],
  ['network update blue --mtu 1400', 'causeway network show blue'],
  ['network delete blue', 'causeway network show blue'],
  [attach, 'causeway endpoint show blue/web'],
  ['endpoint detach blue/web', 'causeway endpoint show blue/web'],
  ['ipam reserve blue --for vpn', 'causeway ipam show blue -o wide'],
  ['ipam release blue 10.66.0.9', 'causeway ipam show blue -o wide'],
  ['ipam check --repair', 'causeway ipam check'],
  ['verify --repair', 'causeway verify'],
  ['node drain h2', 'causeway node show h2'],
  ['node undrain h2', 'causeway node show h2'],
  ['node remove h2', 'causeway node list'],
  ['manager remove h2', 'causeway manager list'],
];

const reads = ['verify', 'events', 'ipam check', 'network create blue --dry-run'];

async function run(line: string, at: { readonly abortAfter?: number; readonly exitCode?: number } = {}) {
  const clock = new FakeClock();
  const abort = new AbortController();
  const outcome = runLine(`${line} --timeout 60s`, { ...world, clock, signal: abort.signal });
  if (at.abortAfter !== undefined) {
    await clock.advance(seconds(at.abortAfter));
    abort.abort({ exitCode: at.exitCode });
  }
  return { ...(await clock.until(outcome, seconds(120))), took: clock.now() };
}

describe('without a majority of etcd', () => {
  const problem = /etcd has no majority: 0 of 3 members are healthy, and 2 are needed/;

  test.each(changes)('%s ends at once, and says what shows whether it is made', async (line, seenBy) => {
    const { code, stderr, took } = await run(line);
    expect(stderr).toMatch(problem);
    expect(stderr).toContain(`whether an earlier try made the change is unknown; to find out: ${seenBy}\n`);
    expect({ code, soon: took < 2_000 }).toEqual({ code: 5, soon: true });
  });

  test.each(reads)('%s ends at once', async (line) => {
    const { code, stderr, took } = await run(line);
    expect(stderr).toMatch(problem);
    expect(stderr).not.toContain('to look');
    expect({ code, soon: took < 2_000 }).toEqual({ code: 5, soon: true });
  });
});

describe('interrupted', () => {
  test.each(changes)('%s says that its outcome is not known, and what shows it', async (line, seenBy) => {
    const { code, stdout, stderr } = await run(line, { abortAfter: 0.2, exitCode: 130 });
    const said = `causeway: interrupted: whether the change was made is unknown; to find out: ${seenBy}\n`;
    expect({ code, stdout, stderr }).toEqual({ code: 130, stdout: '', stderr: said });
  });

  test.each([...reads, 'network list'])('%s says nothing', async (line) => {
    const outcome = await run(line, { abortAfter: 0.2, exitCode: 143 });
    expect(outcome).toMatchObject({ code: 143, stdout: '', stderr: '' });
  });
});
