import { Ip, Mac, type NetworkId } from '@causeway/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, type Backlog, emptyBacklog, takeTurn, type Waiting } from './backlog.ts';

const networkId = 'b10e000000000001' as NetworkId;

function waiting(due: number, receivers = 1): Waiting {
  const announcement = { ip: Ip('10.66.0.9'), mac: Mac('02:42:0a:42:00:09'), to: 'all' } as const;
  return { networkId, announcement, receivers, due };
}

function backlogOf(...all: readonly Waiting[]): Backlog {
  return add(emptyBacklog(0), all).backlog;
}

describe('the backlog of announcements', () => {
  it('sends what is due, and says how long the rest waits', () => {
    const [now, soon, later] = [waiting(0), waiting(30), waiting(50)];
    const first = takeTurn(backlogOf(later, now, soon), 0);
    expect(first).toMatchObject({ send: [now], dropped: 0, wait: 30 });
    const second = takeTurn(first.backlog, 30);
    expect(second).toMatchObject({ send: [soon], dropped: 0, wait: 20 });
    expect(takeTurn(second.backlog, 50)).toMatchObject({ send: [later], dropped: 0, wait: undefined });
  });

  it('sends 500 frames at once and then 1,000 a second; each announcement counts as 20 more', () => {
    const all = Array.from({ length: 40 }, () => waiting(0, 5));
    const first = takeTurn(backlogOf(...all), 0);
    expect(first.send).toHaveLength(20);
    expect(first.wait).toBe(1);
    const second = takeTurn(first.backlog, 100);
    expect(second.send).toHaveLength(4);
    expect(takeTurn(second.backlog, 300).send).toHaveLength(8);
  });

  it('sends an announcement to more containers than the budget has, and then pays for it', () => {
    const first = takeTurn(backlogOf(waiting(0), waiting(0, 1_000)), 0);
    expect(first.send.map(({ receivers }) => receivers)).toEqual([1_000]);
    expect(first.wait).toBe(521);
    expect(takeTurn(first.backlog, 520).send).toHaveLength(0);
    expect(takeTurn(first.backlog, 521).send).toHaveLength(1);
  });

  it('sends the newest first when the budget does not suffice for all', () => {
    const first = takeTurn(backlogOf(waiting(0, 400), waiting(1, 400), waiting(2, 400)), 2);
    expect(first.send.map(({ due }) => due)).toEqual([2, 1]);
    expect(first.backlog.waiting.map(({ due }) => due)).toEqual([0]);
  });

  it('drops what is a second late, because the containers have asked again', () => {
    const late = backlogOf(waiting(0), waiting(1));
    expect(takeTurn(late, 1_000)).toMatchObject({ send: [{ due: 1 }, { due: 0 }], dropped: 0 });
    expect(takeTurn(late, 1_001)).toMatchObject({ send: [{ due: 1 }], dropped: 1, wait: undefined });
  });

  it('holds 75 announcements and drops the oldest', () => {
    const { backlog, dropped } = add(
      backlogOf(waiting(0)),
      Array.from({ length: 100 }, () => waiting(1)),
    );
    expect([backlog.waiting.length, dropped, backlog.waiting[0]?.due]).toEqual([75, 26, 1]);
    expect(add(backlog, [waiting(2)]).dropped).toBe(1);
  });

  it('whatever comes when: each announcement is sent or dropped once, none early, and never more than the rate allows', () => {
    const step = fc.record({
      after: fc.integer({ min: 0, max: 400 }),
      more: fc.array(fc.record({ in: fc.constantFrom(0, 30), receivers: fc.integer({ min: 1, max: 800 }) }), {
        maxLength: 20,
      }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let backlog = emptyBacklog(0);
        let [now, added, done, frames] = [0, 0, 0, 0];
        const turn = (): void => {
          const { send, dropped, backlog: next } = takeTurn(backlog, now);
          expect(send.every(({ due }) => due <= now && now - due <= 1_000)).toBe(true);
          backlog = next;
          done += send.length + dropped;
          frames += send.reduce((sum, { receivers }) => sum + receivers + 20, 0);
          expect(frames).toBeLessThanOrEqual(500 + now + 820);
        };
        for (const { after, more } of steps) {
          now += after;
          const grown = add(
            backlog,
            more.map((each) => waiting(now + each.in, each.receivers)),
          );
          added += more.length;
          done += grown.dropped;
          backlog = grown.backlog;
          turn();
        }
        now += 5_000;
        turn();
        expect([done, backlog.waiting]).toEqual([added, []]);
      }),
    );
  });
});
