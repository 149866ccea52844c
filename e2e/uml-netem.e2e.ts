import { expect, test } from 'vitest';
import { describeLab } from './requirements.ts';
import { runInUml } from './uml/uml.ts';

interface Measured {
  /** Round trips from h1 to h2, milliseconds. */
  readonly before: { readonly least: number };
  readonly delayed: { readonly least: number; readonly mean: number };
  readonly longer: { readonly least: number };
  readonly healed: { readonly least: number };
  /** What `lab status` printed for each host. */
  readonly told: unknown;
  readonly lossy: unknown;
  readonly after: unknown;
}

const modules = ['veth', 'bridge', 'sch_netem', 'nf_tables', 'nft_numgen'];

describeLab('a delay of a lab, on a kernel that has netem (User-Mode Linux)', () => {
  test('is added to every packet each way, replaced, and taken back', { timeout: 180_000 }, async () => {
    const result = (await runInUml('netem.mjs', modules)) as Measured;
    expect(result.before.least).toBeLessThan(40);
    // 50 ms in each direction, then 100. The guest's clock and its single CPU add some time to this.
    expect(result.delayed.least).toBeGreaterThanOrEqual(100);
    expect(result.delayed.mean).toBeLessThan(180);
    expect(result.longer.least).toBeGreaterThanOrEqual(200);
    expect(result.healed.least).toBeLessThan(40);
    expect(result.told).toEqual([null, { delayMs: 50, loss: 0, dropAbove: 0 }]);
    expect(result.lossy, 'no delay any more').toEqual([null, { delayMs: 0, loss: 10, dropAbove: 0 }]);
    expect(result.after).toEqual([null, null]);
  });
}, ['linux.uml', 'modprobe', 'tc', 'nft']);
