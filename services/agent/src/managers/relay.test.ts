import { CausewayError } from '@causeway/model';
import type { ConnectResponse } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { seconds } from '@causeway/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeManager } from '../testing/fake-manager.ts';
import { Host } from '../testing/host.ts';
import type { SessionChannel } from './link.ts';

const [m1, m2] = ['10.0.0.1:7443', '10.0.0.2:7443'] as const;
const silence = new CausewayError('manager-unavailable', 'no answer to connect', { grpcCode: 14 });

/** Two managers. The first leads; the host may be cut off from it. The second relays when it is asked to. */
class Pair extends FakeManager {
  isCut = false;
  readonly connects: string[] = [];

  override connect(address: string = m1, { relay } = { relay: false }): SessionChannel {
    this.connects.push(relay ? `${address} relay` : address);
    if (address === m1) {
      if (this.isCut) return failing(silence);
      const channel = super.connect();
      return channel;
    }
    if (!relay) return failing(new CausewayError('not-leader', `ask ${m1}`, { leader: m1 }));
    const channel = super.connect();
    return { ...channel, messages: cancelled(channel.messages), relayedTo: m1 };
  }

  override reaches(): Promise<boolean> {
    return Promise.resolve(!this.isCut);
  }

  cut(): void {
    this.isCut = true;
    this.down = true;
    this.down = false;
  }
}

/** Same as gRPC: a session that is cancelled here ends with an error here. */
async function* cancelled(messages: SessionChannel['messages']): AsyncGenerator<ConnectResponse> {
  yield* messages;
  throw new CausewayError('timed-out', 'Cancelled on client', { grpcCode: 1 });
}

function failing(error: CausewayError): SessionChannel {
  // biome-ignore lint/correctness/useYield: it fails before its first message
  async function* messages(): AsyncGenerator<never> {
    throw error;
  }
  return { messages: messages(), send: () => undefined, close: () => undefined };
}

let manager: Pair;
let h: Host;
beforeEach(async () => {
  manager = new Pair();
  manager.network('blue');
  h = new Host({}, manager, [m1, m2]);
  await h.start();
});

describe('a host that cannot reach the leader', () => {
  it('has its session by way of another manager, and attaches', async () => {
    manager.cut();
    await h.settle(seconds(3));
    expect((await h.status()).manager).toBe(m2);
    expect(manager.connects.at(-1)).toBe(`${m2} relay`);
    const started = h.log.lines.filter(({ event }) => event === 'session.started').map(({ fields }) => fields);
    expect(started).toEqual([{ manager: m1 }, { manager: m2, relayedTo: m1 }]);
    await h.attach('blue', 'web');
    expect(manager.rows('blue')).toEqual(['web']);
  });

  it('returns to the leader when that can be reached again, and not before', async () => {
    manager.cut();
    await h.settle(seconds(40));
    expect((await h.status()).manager).toBe(m2);
    manager.isCut = false;
    await h.settle(seconds(20));
    expect((await h.status()).manager).toBe(m1);
    expect(manager.connects.filter((each) => each.endsWith('relay'))).toHaveLength(1);
  });
});

describe('a host that can reach no manager', () => {
  it('claims nothing: an attach waits no longer than an election takes, and says why', async () => {
    manager.down = true;
    const early = h.attach('blue', 'web');
    await expect(h.clock.until(early, seconds(60))).rejects.toMatchObject({
      code: 'manager-unavailable',
      message: expect.stringMatching(/no session with the managers for \d+ s \(.+\): nothing was attached/),
    });
    await h.settle(seconds(10));
    const began = h.clock.now();
    await expect(h.clock.until(h.attach('blue', 'db'), seconds(60))).rejects.toMatchObject({
      code: 'manager-unavailable',
    });
    expect(h.clock.now() - began).toBeLessThan(100);
    manager.down = false;
    await h.settle(seconds(2));
    expect([manager.rows('blue'), manager.released]).toEqual([[], []]);
  });

  it('an attach that waits goes on as soon as there is a session', async () => {
    manager.down = true;
    await h.settle(seconds(1));
    const waiting = h.attach('blue', 'web');
    await h.settle(seconds(2));
    manager.down = false;
    await h.clock.until(waiting, seconds(5));
    expect(manager.rows('blue')).toEqual(['web']);
  });

  it('is logged once for each manager and reason, not once a try', async () => {
    manager.cut();
    manager.down = true;
    await h.settle(seconds(120));
    const events = h.log.lines.map(({ event }) => event);
    const failures = events.filter((event) =>
      ['session.ended', 'session.refused', 'manager.unreachable'].includes(event),
    );
    expect(failures, 'the session, the stand-by’s refusal, and each manager once').toEqual([
      'session.ended',
      'session.refused',
      'manager.unreachable',
      'manager.unreachable',
    ]);
  });
});
