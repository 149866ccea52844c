import { foundBy, type Stories, tell } from '@causeway/uml';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeLab } from './requirements.ts';

describeLab('agents on a kernel that has ESP (User-Mode Linux)', () => {
  let story: Stories['agents'];
  beforeAll(async () => {
    story = await tell('agents');
  }, 930_000);

  const answered = (count: number) => ({ sent: count, received: count, duplicates: 0 });
  const hidden = { readable: 0, vxlan: 0 };

  test('without encryption, the capture of the underlay can read what containers say', () => {
    const { pings, ...frames } = foundBy(story.plain);
    expect(pings).toEqual(Array(6).fill(answered(3)));
    expect(frames).toEqual({ readable: 36, vxlan: 36, esp: 0 });
  });

  test('with encryption it can read nothing, and containers of all hosts reach each other', () => {
    const { pings, ...frames } = foundBy(story.encrypted);
    expect(pings).toEqual(Array(6).fill(answered(3)));
    expect(frames).toEqual({ ...hidden, esp: 36 });
  });

  test('a TCP transfer arrives whole', () => {
    const { bytes, inEsp, ...frames } = foundBy(story.bulk);
    expect(bytes).toBe(16 * 2 ** 20);
    expect(frames).toMatchObject(hidden);
    expect(inEsp).toBeGreaterThan(bytes);
    expect(frames.esp).toBeGreaterThan(100);
  });

  test('the largest packet fits into the underlay’s MTU without fragments, and one byte more is refused', () => {
    const { largest, larger, outer, fragments, mtu } = foundBy(story.mtu);
    expect(mtu).toBe(1416);
    expect(largest).toEqual(answered(3));
    expect(larger.received).toBe(0);
    expect(fragments).toBe(0);
    expect(outer).toBeGreaterThan(1500 - 4);
    expect(outer).toBeLessThanOrEqual(1500);
  });

  test('iproute2 shows the SAs and policies that the agents have made', async () => {
    await expect(foundBy(story.golden)).toMatchFileSnapshot('./golden/agent-xfrm.txt');
  });

  describe('nothing leaves in the clear, and nothing is let in', () => {
    const stopped = { ...hidden, received: 0, esp: 0 };

    test('when a policy is deleted by hand: the block stays, and the policy is back within a second', () => {
      const { backWithin, ...attempt } = foundBy(story.policyDeleted);
      expect(attempt).toMatchObject(stopped);
      expect(backWithin).toBeLessThan(1_000);
    });

    test.each(['saDeleted', 'sasFlushed'] as const)('when SAs are gone, until there are new keys: %s', (name) => {
      expect(foundBy(story[name])).toMatchObject({ ...stopped, after: { sent: 3, received: 3 }, madeAgain: 0 });
    });

    test('when all rules of the firewall are flushed, which loses no packet', () => {
      expect(foundBy(story.rulesetFlushed)).toMatchObject({ ...hidden, sent: 3, received: 3 });
    });

    test('while the firewall is reloaded, and after that', () => {
      const { meanwhile, ...after } = foundBy(story.firewallReloaded);
      expect(meanwhile).toMatchObject({ ...hidden, received: 0 });
      expect(after).toMatchObject({ ...hidden, sent: 3, received: 3 });
    });

    test('when the agent is killed: packets flow in ESP, and are blocked if the policy is deleted too', () => {
      const { withoutPolicy, ...attempt } = foundBy(story.agentDown);
      expect(attempt).toMatchObject({ ...hidden, sent: 3, received: 3, esp: 6 });
      expect(withoutPolicy).toMatchObject(stopped);
    });

    test('when the FDB names a host that has no SAs', () => {
      expect(foundBy(story.peerUnknown)).toMatchObject(stopped);
    });

    test('when programs of a host, root’s too, send to the port of tunnels, or want to share it', () => {
      const { frames, ...found } = foundBy(story.sockets);
      const [refused, taken] = ['Operation not permitted', 'Address already in use'];
      // The port of the other network is taken, too.
      expect(found).toEqual({ delivered: 0, control: 2, refusals: [refused, refused, taken, taken] });
      expect(frames).toEqual({ ...hidden, esp: 0 });
    });

    test('when root sends packets of tunnels by raw sockets: ESP does not protect them, and no container gets them', () => {
      const { frames, ...found } = foundBy(story.rawSockets);
      expect(found).toEqual({ delivered: 0, control: 3, refusals: ['', '', ''] });
      // They are the program's own: this kernel has no nftables for IP, whose guard would drop the first two.
      expect(frames).toEqual({ readable: 3, vxlan: 3, esp: 0 });
    });

    test('when VXLAN without ESP comes from the address of a peer, or of a stranger', () => {
      expect(foundBy(story.spoofed)).toEqual({ control: 1, delivered: 0, drops: [1, 1] });
    });

    test('when frames come again, which are counted', () => {
      const { frames, delivered, drops } = foundBy(story.replayed);
      expect(frames).toBe(20);
      expect({ delivered, drops }).toEqual({ delivered: 0, drops: frames });
    });
  });

  test('“crypto status” has the numbers of the kernels, also when keys have changed, and “doctor” finds nothing', () => {
    const { status, rotated, rotationIn, plaintext, findings } = foundBy(story.cryptoStatus);
    const pairs = [
      { a: 'h1', b: 'h2', replayDrops: 20 },
      { a: 'h1', b: 'h3', replayDrops: 0 },
      { a: 'h2', b: 'h3', replayDrops: 0 },
    ];
    const { h1 = 0, h2 = 0, h3 = 0 } = plaintext;
    const plaintextDrops = [h1 + h2, h1 + h3, h2 + h3];
    expect(h2).toBeGreaterThanOrEqual(2);
    for (const shown of [status, rotated])
      expect(shown).toEqual({
        pairs: pairs.map((pair, i) => ({
          ...{ ...pair, sasOk: true, esn: true, plaintextDrops: plaintextDrops[i] },
          ...{ generation: expect.any(Number), ageSeconds: expect.any(Number) },
        })),
        nextRotation: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      });
    for (const [i, { generation, ageSeconds }] of status.pairs.entries()) {
      expect(generation).toBeGreaterThan(0);
      expect(rotated.pairs[i]?.generation).toBeGreaterThan(generation);
      // The SAs are of this guest, which ends after 15 minutes.
      expect(ageSeconds).toBeLessThan(900);
    }
    expect(rotationIn).toBeGreaterThan(0);
    expect(rotationIn).toBeLessThanOrEqual(8 * 3_600_000);
    expect(findings).toEqual([]);
  });

  test('a host that is removed and goes on sending: its peers delete their SAs, and no container gets its frames', () => {
    const { goneWithin, kept, before, inEsp, inTheClear, toRemoved } = foundBy(story.removed);
    expect(goneWithin).toBeLessThan(10_000);
    expect(kept).toBeGreaterThan(0);
    expect(before).toBe(6);
    expect(inEsp).toEqual({ ...hidden, delivered: 0, esp: 6 });
    expect(inTheClear).toEqual({ delivered: 0, readable: 6, vxlan: 6, esp: 0 });
    expect(toRemoved).toEqual({ ...hidden, esp: 0 });
  });

  test('a network in use is encrypted, and then not any more: no packet is lost, and afterwards nothing is in the clear', () => {
    const { pings, encrypted, plain } = foundBy(story.inUse);
    for (const { sent, received } of pings) expect(received).toBe(sent);
    expect(pings.map(({ sent }) => sent >= 50)).toEqual([true, true, true]);
    expect(encrypted).toMatchObject(hidden);
    expect(encrypted.esp).toBeGreaterThanOrEqual(36);
    expect(plain.esp).toBe(0);
    expect(plain.readable).toBeGreaterThanOrEqual(36);
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
}, ['linux.uml', 'modprobe', 'tcpdump', 'nft', 'iptables-legacy', 'python3', 'setpriv']);
