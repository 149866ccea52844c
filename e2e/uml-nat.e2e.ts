import { type Stories, tell } from '@causeway/uml';
import { beforeAll, expect, test } from 'vitest';
import { describeLab } from './requirements.ts';

const all = { sent: 20, received: 20 };

describeLab('ESP in UDP on a kernel that has ESP (User-Mode Linux)', () => {
  let result: Stories['nat'];
  beforeAll(async () => {
    result = await tell('nat');
  }, 330_000);

  test('passes a NAT that gives a host another port, both ways, and nothing else is on the wire', () => {
    expect(result.failures).toEqual([]);
    expect(result.behindNat).toMatchObject({ ports: '4500>61000', toInside: all });
    expect(result.behindNat.toOutside).toMatchObject({ ...all, esp: 0, vxlan: 0 });
    expect(result.behindNat.toOutside.udp).toBeGreaterThanOrEqual(40);
  });

  test('follows the NAT to another port with the SAs that are there', () => {
    const { pings, toInside, ...rest } = result.followed;
    expect(rest).toEqual({
      ports: '4500>62000',
      ops: ['xfrm state update', 'xfrm state update'],
      isSameSa: true,
      isCountedOn: true,
    });
    // What the host outside has sent until it knew the port is lost.
    expect(pings.received).toBeGreaterThan(pings.sent - 20);
    expect(toInside).toMatchObject(all);
  });

  test('goes on when the agents are killed, and the next agents change nothing', () => {
    const pings = { sent: 200, received: 200 };
    expect(result.withoutAgents).toMatchObject({ pings, holders: [1, 1], isKeptAlive: true });
    expect(result.again).toMatchObject({ pings: { sent: 5, received: 5 }, ops: [] });
  });

  test('needs the socket, which comes back when the process that holds it has ended', () => {
    expect(result.withoutSocket).toMatchObject({ sent: 3, received: 0 });
    expect(result.socketBack).toMatchObject({ sent: 5, received: 5 });
  });

  test('keeps the port for new keys', () => {
    expect(result.rekeyed).toMatchObject({ pings: all, ports: '4500>62000', isSameSa: false });
  });

  test('works with an IPv6 underlay, as plain ESP does, up to the MTU', () => {
    const largest = { sent: 3, received: 3 };
    expect(result.six).toMatchObject({ esp: all, inUdp: all, socket: '[2001:db8::1]:4500', largest });
  });
}, ['linux.uml', 'modprobe', 'ss', 'tc', 'tcpdump']);
