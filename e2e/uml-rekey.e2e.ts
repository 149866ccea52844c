import { type Stories, tell } from '@causeway/uml';
import { beforeAll, expect, test } from 'vitest';
import { describeLab } from './requirements.ts';

describeLab('the rekey protocol on a kernel that has ESP (User-Mode Linux)', () => {
  let result: Stories['rekey'];
  beforeAll(async () => {
    result = await tell('rekey');
  }, 330_000);

  test('loses no packet between hosts that change their keys, one of whose agents ends in the middle of its work', () => {
    expect(result.isInTime).toBe(true);
    expect(result.toLive.sent).toBeGreaterThan(500);
    expect(result.toLive.received).toBe(result.toLive.sent);
  });

  test('loses no packet to a host whose agent is paused, while the others change their keys', () => {
    expect(result.whilePaused.live).toBeGreaterThanOrEqual(4);
    expect(result.whilePaused.paused).toBe(0);
    expect(result.toPaused.received).toBe(result.toPaused.sent);
  });

  test('needs at most three generations of a key in a kernel, and one in the end', () => {
    expect(result.most).toBeLessThanOrEqual(3);
    expect(result.left).toEqual([4, 4, 4]);
  });
}, ['linux.uml', 'modprobe']);
