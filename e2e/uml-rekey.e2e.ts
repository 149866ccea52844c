import { beforeAll, expect, test } from 'vitest';
import { describeLab } from './requirements.ts';
import { runInUml } from './uml/uml.ts';

interface Pings {
  readonly sent: number;
  readonly received: number;
}

interface Measured {
  /** From a host to one whose agent ends again and again, and to one whose agent is paused. */
  readonly toLive: Pings;
  readonly toPaused: Pings;
  /** How many generations the hosts made meanwhile. */
  readonly whilePaused: { readonly live: number; readonly paused: number };
  /** Generations of one node in a kernel at a time, at most. */
  readonly most: number;
  /** SAs of each host at the end. */
  readonly left: readonly number[];
  /** The pings ran until after the last rekey. */
  readonly isInTime: boolean;
}

/** The guest cannot load modules by itself. `seqiv` draws random numbers when an SA is made: the last three. */
const ciphers = ['gcm', 'ctr', 'ghash-generic', 'seqiv', 'hmac', 'sha512_generic', 'drbg'];
const modules = ['esp4', 'xfrm_user', ...ciphers, 'veth', 'vxlan', 'bridge'];

describeLab('the rekey protocol on a kernel that has ESP (User-Mode Linux)', () => {
  let result: Measured;
  beforeAll(async () => {
    result = (await runInUml('rekey.mjs', modules)) as Measured;
  }, 180_000);

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
