import type { NetnsPath } from '@causeway/datapath';
import { isCausewayError } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Host } from '../testing/host.ts';

const containers = ['a1', 'a2', 'a3'];

/** A host with containers on blue. Its agent is down. */
async function host(): Promise<Host> {
  const h = new Host();
  h.manager.network('blue');
  await h.start();
  for (const name of containers) {
    await h.attach('blue', name);
    await h.settle(seconds(1));
  }
  await h.clock.until(h.agent.stop(), seconds(60));
  return h;
}

/** What happens to one file of the data directory while the agent is down. */
const harm = fc.oneof(
  fc.record({
    kind: fc.constant('damaged' as const),
    place: fc.double({ min: 0, max: 0.999, noNaN: true }),
    mask: fc.integer({ min: 1, max: 255 }),
  }),
  fc.record({ kind: fc.constant('newer' as const), format: fc.integer({ min: 2, max: 9_999 }) }),
);

type Harm = typeof harm extends fc.Arbitrary<infer Value> ? Value : never;

function harmed(bytes: Uint8Array, what: Harm): Uint8Array {
  if (what.kind === 'damaged') {
    const at = Math.floor(what.place * bytes.length);
    return bytes.with(at, (bytes[at] ?? 0) ^ what.mask);
  }
  const text = Buffer.from(bytes)
    .toString('latin1')
    .replace(/^causeway-ledger 1 /, `causeway-ledger ${what.format} `);
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

it('no damaged byte and no newer format of any one file costs an endpoint or its interface', async () => {
  let started = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(harm, fc.nat(), async (what, pick) => {
      const h = await host();
      const ids = h.manager.ids('blue');
      const names = (await h.files.list()).toSorted();
      const name = names[pick % names.length] ?? '';
      const before = (await h.files.read(name)) ?? new Uint8Array();
      await h.files.write(name, harmed(before, what));
      try {
        await h.start();
        started++;
        await h.settle(seconds(100));
        await h.clock.until(h.agent.stop(), seconds(60));
      } catch (error) {
        // A newer agent wrote the record of the host itself: this agent leaves everything as it is, and reports this.
        if (!isCausewayError(error, 'data-too-new')) throw error;
        refused++;
      }
      expect(h.manager.released, `${name} ${what.kind}`).toEqual([]);
      expect(h.manager.ids('blue')).toEqual(ids);
      for (const container of containers) {
        const links = h.kernel.namespaces.get(`/run/netns/${container}` as NetnsPath)?.links;
        expect(links?.has('eth0'), `${container} after ${name} was ${what.kind}`).toBe(true);
      }
    }),
    { numRuns: 30 },
  );
  expect(started).toBeGreaterThan(10);
  expect(refused).toBeGreaterThan(0);
});
