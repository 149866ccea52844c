import { tell } from '@causeway/uml';
import { expect, test } from 'vitest';
import { describeLab } from './requirements.ts';

describeLab('a delay of a lab, on a kernel that has netem (User-Mode Linux)', () => {
  test('is added to every packet each way, replaced, and taken back', { timeout: 330_000 }, async () => {
    const result = await tell('netem');
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
