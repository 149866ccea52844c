import { foundBy, type Stories, tell } from '@causeway/uml';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeLab } from './requirements.ts';

describeLab('agents change keys, on a kernel that has ESP (User-Mode Linux)', () => {
  let story: Stories['keys'];
  beforeAll(async () => {
    story = await tell('keys');
  }, 630_000);

  const answered = (count: number) => ({ sent: count, received: count, duplicates: 0 });
  const hidden = { readable: 0, vxlan: 0 };

  test('new keys every five seconds for a minute, under load, with one agent paused: no packet is lost', () => {
    const { toLive, toPaused, whilePaused, rekeys, most, ...frames } = foundBy(story.underLoad);
    expect(toLive).toEqual(answered(30_000));
    expect(toPaused).toEqual(answered(1_200));
    expect(whilePaused[0]).toBeGreaterThanOrEqual(2);
    expect(whilePaused[1]).toBe(0);
    expect(rekeys).toBeGreaterThanOrEqual(10);
    expect(most).toBeLessThanOrEqual(3);
    expect(frames).toEqual(hidden);
  });

  test('an agent that is killed while it changes its key changes it after that, and no packet is lost', () => {
    const { pings, kills, rekeys } = foundBy(story.killed);
    expect(pings.sent).toBeGreaterThan(500);
    expect(pings.received).toBe(pings.sent);
    expect(kills.map(({ at }) => at)).toEqual(['receives', 'sends', 'isSentTo']);
    for (const { former, next } of kills) {
      expect(former).toBeGreaterThan(0);
      expect(next).toBeGreaterThan(0);
    }
    expect(rekeys).toBeGreaterThanOrEqual(3);
  });

  describe('ESP in UDP', () => {
    test('of a host that always asks for it: all SAs with the host change to it, and no packet is lost', () => {
      const { pings, ports } = foundBy(story.always);
      for (const { sent, received } of pings) expect(received).toBe(sent);
      expect(pings.map(({ sent }) => sent >= 50)).toEqual([true, true, true]);
      expect(ports).toEqual(['4500>4500']);
    });

    test('goes both ways through a NAT that gives the host another address and port', () => {
      const { pings, ports, inUdp, ...frames } = foundBy(story.behindNat);
      expect(ports).toEqual(['4500>61000']);
      expect(pings).toEqual(Array(6).fill(answered(5)));
      // The third host asks for it always.
      expect(frames).toEqual({ ...hidden, esp: 0 });
      expect(inUdp).toBeGreaterThanOrEqual(60);
    });

    test.each([
      ['two hosts of which one always asks for it', 'alwaysWithoutAgents'],
      ['two hosts with a NAT between them', 'behindNatWithoutAgents'],
    ] as const)('goes on when the agents of %s are killed', (_, name) => {
      const { pings, inUdp, ...frames } = foundBy(story[name]);
      expect(pings).toEqual(Array(2).fill(answered(100)));
      expect(frames).toEqual({ ...hidden, esp: 0 });
      expect(inUdp).toBeGreaterThanOrEqual(400);
    });
  });

  test('no key is in a log, an error, an argument, an environment, or a file but its own', () => {
    const { privateKeys, saKeys, keyFiles, exposed, searched } = foundBy(story.secrets);
    expect(exposed).toEqual([]);
    expect(keyFiles).toHaveLength(3);
    for (const file of keyFiles) expect(file).toMatch(/ 600$/);
    expect(privateKeys).toBeGreaterThanOrEqual(3);
    expect(saKeys).toBeGreaterThanOrEqual(12);
    expect(searched).toBeGreaterThan(100);
  });
}, ['linux.uml', 'modprobe', 'tc', 'tcpdump']);
