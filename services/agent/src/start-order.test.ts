import type { NetnsPath } from '@causeway/datapath';
import { milliseconds, seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { abandonedClaim } from './testing/agent-fixture.ts';
import { damage, damageTables, removeSandboxes } from './testing/damage.ts';
import type { Host } from './testing/host.ts';
import { JitteryHost } from './testing/jittery-host.ts';

/**
 * Each seed is another order in which the kernel, the disk and the managers answer. CAUSEWAY_SEED=n repeats one seed;
 * CAUSEWAY_SEEDS=n runs the first n.
 */
const { CAUSEWAY_SEED: one, CAUSEWAY_SEEDS: many = '40' } = process.env;
const seeds = one === undefined ? Array.from({ length: Number(many) }, (_, index) => index + 1) : [Number(one)];
/** Longer than a claim may be without a container. */
const untilCollected = seconds(13);

/** A host whose agent is down, with three containers on blue. */
async function hostWithThree(seed: number): Promise<JitteryHost> {
  const h = new JitteryHost(seed);
  h.manager.network('blue');
  await h.start();
  for (const name of ['a1', 'a2', 'a3']) await h.attach('blue', name);
  await h.settle(seconds(1));
  await h.clock.until(h.agent.stop(), seconds(60));
  return h;
}

/** The containers of these names that have their interface. */
const connected = (h: Host, names: readonly string[]): readonly string[] =>
  names.filter((name) => h.kernel.namespaces.get(`/run/netns/${name}` as NetnsPath)?.links.has('eth0') === true);

/** Managers send only Welcome at first. */
async function bootAndReconnect(h: Host, between: () => Promise<void>): Promise<void> {
  h.manager.silent = true;
  await h.boot();
  await between();
  h.manager.silent = false;
  h.manager.down = true;
  h.manager.down = false;
}

describe('in every order of answers, a container that lives keeps its endpoint and its interface', () => {
  it.each<[string, (h: JitteryHost) => Promise<void>]>([
    ['when nothing is damaged', async () => undefined],
    ['when its record is damaged', (h) => damage(h, 'sandboxes')],
    ['when all records are gone', removeSandboxes],
    [
      'when its record and the tables are damaged',
      async (h) => {
        await damage(h, 'sandboxes');
        await damageTables(h);
      },
    ],
    [
      'when its record, the identity and the list of overlays are damaged',
      (h) => damage(h, 'sandboxes', 'identity', 'overlays'),
    ],
  ])('%s', async (_, harm) => {
    for (const seed of seeds) {
      const h = await hostWithThree(seed);
      const ids = h.manager.ids('blue');
      await harm(h);
      await h.boot();
      await h.settle(untilCollected);
      expect(h.manager.ids('blue'), `seed ${seed}`).toEqual(ids);
      expect(h.manager.released, `seed ${seed}`).toEqual([]);
      expect(connected(h, ['a1', 'a2', 'a3']), `seed ${seed}`).toEqual(['a1', 'a2', 'a3']);
    }
  });

  it.each<[string, (h: JitteryHost) => Promise<unknown>, readonly string[]]>([
    [
      'the first session breaks',
      async (h) => {
        await h.boot();
        await h.pause();
        h.manager.down = true;
        await h.settle(milliseconds(10));
        h.manager.down = false;
      },
      ['a1', 'a2', 'a3'],
    ],
    [
      'no manager answers for longer than a claim may be without a container',
      async (h) => {
        h.manager.down = true;
        await h.boot();
        await h.settle(untilCollected);
        h.manager.down = false;
      },
      ['a1', 'a2', 'a3'],
    ],
    [
      'the managers send the tables late',
      (h) => bootAndReconnect(h, () => h.settle(untilCollected)),
      ['a1', 'a2', 'a3'],
    ],
    [
      'the other containers are detached before the tables arrive',
      (h) =>
        bootAndReconnect(h, async () => {
          await h.detach('a1');
          await h.detach('a2');
          await h.settle();
        }),
      ['a3'],
    ],
    [
      'another container is attached during the start',
      async (h) => {
        await h.boot();
        await h.attach('blue', 'a4');
      },
      ['a1', 'a2', 'a3', 'a4'],
    ],
    [
      'another container asks for its name during the start',
      async (h) => {
        h.container('other');
        await h.boot();
        const attach = h.attach('blue', 'a3', { netns: '/run/netns/other' });
        await expect(attach).rejects.toMatchObject({ code: 'name-taken' });
      },
      ['a1', 'a2', 'a3'],
    ],
    [
      'it is attached once more during the start',
      async (h) => {
        await h.boot();
        await h.attach('blue', 'a3');
      },
      ['a1', 'a2', 'a3'],
    ],
  ])('when its record is damaged, perhaps its table too, and %s', async (_, begin, living) => {
    for (const seed of seeds) {
      const h = await hostWithThree(seed);
      const [a3] = h.manager.ids('blue').slice(2);
      await damage(h, 'sandboxes');
      if (seed % 2 === 0) await damageTables(h);
      await begin(h).catch((cause: unknown) => {
        throw new Error(`seed ${seed}`, { cause });
      });
      await h.settle(untilCollected);
      expect(h.manager.ids('blue'), `seed ${seed}`).toContain(a3);
      expect(h.manager.rows('blue'), `seed ${seed}`).toEqual(living);
      expect(connected(h, living), `seed ${seed}`).toEqual(living);
    }
  });

  it('when its attach is tried again while its claim is collected', async () => {
    for (const seed of seeds) {
      const h = await hostWithThree(seed);
      const { releaseEndpoint } = h.manager;
      h.manager.releaseEndpoint = async (...call) => {
        await h.clock.sleep(milliseconds(500));
        return await releaseEndpoint(...call);
      };
      await h.start();
      const requestId = await abandonedClaim(h, 'a4');
      await h.settle(milliseconds(9_900 + new SeededRandom(seed).float() * 1_500));
      // A container that was told that it is attached stays so. One that was not tries again.
      await h.attach('blue', 'a4', { requestId }).catch(() => h.attach('blue', 'a4', { requestId }));
      await h.settle(untilCollected);
      expect(h.manager.rows('blue'), `seed ${seed}`).toEqual(['a1', 'a2', 'a3', 'a4']);
      expect(connected(h, ['a4']), `seed ${seed}`).toEqual(['a4']);
    }
  });
});

describe('in every order of answers, an agent that starts on older tables', () => {
  it('changes nothing in a kernel that has what the managers send', async () => {
    for (const seed of seeds) {
      const h = await hostWithThree(seed);
      const older = new Map(h.files.contents);
      await h.start();
      for (let n = 200; n < 205; n++) h.manager.peer('blue', n);
      await h.settle(seconds(1));
      await h.clock.until(h.agent.stop(), seconds(60));
      for (const [name, bytes] of older) if (name.startsWith('network-')) h.files.contents.set(name, bytes);
      const { writes } = h.kernel;
      await h.start();
      expect(await h.wrong('blue'), `seed ${seed}`).toEqual([]);
      expect(h.kernel.writes, `seed ${seed}`).toBe(writes);
    }
  });
});
