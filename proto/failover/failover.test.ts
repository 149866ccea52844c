import { CausewayError } from '@causeway/model';
import { type Duration, milliseconds, seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { Failover, type RunOptions } from './failover.ts';
import { hedgeRead, silenceRemembered } from './policy.ts';

const refused = new CausewayError('manager-unavailable', 'connect ECONNREFUSED', { grpcCode: 14, refused: true });
const hangs = new CausewayError('manager-unavailable', 'no answer to connect', { grpcCode: 14 });
const electing = new CausewayError('not-leader', 'no manager leads at this moment: try again', { leader: '' });
const standby = (leader: string): CausewayError => new CausewayError('not-leader', `ask ${leader}`, { leader });

/** What a server does with a call: it answers after a while, or never. */
type Script = { readonly after?: number } & ({ readonly says: string | CausewayError } | { readonly silent: true });

let clock: FakeClock;
let asked: string[];
let scripts: Record<string, Script>;

beforeEach(() => {
  clock = new FakeClock();
  asked = [];
});

async function attempt(address: string, _: Duration, isRetry: boolean, signal: AbortSignal): Promise<string> {
  asked.push(`${address}@${clock.now()}${isRetry ? '+' : ''}`);
  const script = scripts[address] ?? { says: refused };
  await clock.sleep(milliseconds('silent' in script ? 1e9 : (script.after ?? 0)), signal);
  if (signal.aborted || 'silent' in script) throw new CausewayError('timed-out', 'cancelled', { grpcCode: 1 });
  if (typeof script.says === 'string') return script.says;
  throw script.says;
}

const run = (failover: Failover, options: RunOptions = {}, timeout = seconds(5)): Promise<string> =>
  clock.until(failover.run(timeout, attempt, options), seconds(60));

const read = { hedgeAfter: hedgeRead, readsOnly: true };

describe('Failover', () => {
  it('goes to the named leader, and stays there', async () => {
    scripts = { m1: { says: standby('m3') }, m2: { says: standby('m3') }, m3: { says: 'done' } };
    const failover = new Failover(['m1', 'm2', 'm3'], clock);
    expect(await run(failover)).toBe('done');
    await run(failover);
    expect(asked).toEqual(['m1@0', 'm3@0+', 'm3@0']);
  });

  it('tries each server in turn until the time is over, then throws their errors', async () => {
    scripts = { m1: { says: refused }, m2: { says: electing } };
    const failing = run(new Failover(['m1', 'm2'], clock), {}, seconds(1));
    await expect(failing).rejects.toBe(electing);
    expect(asked.slice(0, 4)).toEqual(['m1@0', 'm2@0+', 'm1@100+', 'm2@100+']);
    expect(clock.now()).toBe(1_000);
  });

  it.each([
    ['ends when all servers hang or refuse, where the call must not wait', true, 1_800],
    ['goes on where it may wait: a server that hangs may be back', false, 5_000],
  ])('%s', async (_, hangingRefuses, end) => {
    scripts = { m1: { says: hangs, after: 1_000 }, m2: { says: refused } };
    const options = { ...read, endWhenRefused: milliseconds(800), hangingRefuses };
    await expect(run(new Failover(['m1', 'm2'], clock), options)).rejects.toBeInstanceOf(CausewayError);
    expect(clock.now()).toBe(end);
  });

  it('does not retry an answer', async () => {
    scripts = { m1: { says: new CausewayError('name-taken', 'taken') } };
    await expect(run(new Failover(['m1', 'm2'], clock))).rejects.toMatchObject({ code: 'name-taken' });
    expect(asked).toEqual(['m1@0']);
  });

  it('a silent server costs a read 300 ms once, and is asked last from then on', async () => {
    scripts = { m1: { silent: true }, m2: { says: 'two' }, m3: { says: 'three' } };
    const failover = new Failover(['m1', 'm2', 'm3'], clock);
    expect(await run(failover, read)).toBe('two');
    expect(clock.now()).toBe(300);
    scripts['m2'] = { says: refused };
    expect(await run(failover, read)).toBe('three');
    expect(clock.now()).toBe(300);
    expect(asked).toEqual(['m1@0', 'm2@300+', 'm2@300', 'm3@300+']);
  });

  it('and a change 1 s, under the same request and marked as a retry', async () => {
    scripts = { m1: { silent: true }, m2: { says: 'two' } };
    expect(await run(new Failover(['m1', 'm2'], clock))).toBe('two');
    expect(asked).toEqual(['m1@0', 'm2@1000+']);
  });

  it('a slow server is not given up: its answer counts when it comes first', async () => {
    scripts = { m1: { says: 'slow', after: 2_000 }, m2: { silent: true } };
    expect(await run(new Failover(['m1', 'm2'], clock))).toBe('slow');
    expect(clock.now()).toBe(2_000);
  });

  it('a change that was sent twice is not refused because its first copy is: the other may be carried out', async () => {
    const taken = new CausewayError('name-taken', 'taken');
    scripts = { m1: { says: taken, after: 1_200 }, m2: { says: 'done', after: 500 } };
    expect(await run(new Failover(['m1', 'm2'], clock))).toBe('done');
    scripts = { m1: { says: 'done', after: 1_500 }, m2: { says: taken, after: 100 } };
    await expect(run(new Failover(['m1', 'm2'], clock))).rejects.toBe(taken);
  });

  it('nor when no other copy is under way any more: a copy marked as a retry is sent', async () => {
    const taken = new CausewayError('name-taken', 'taken');
    scripts = { m1: { says: taken, after: 1_200 }, m2: { says: electing, after: 50 } };
    await expect(run(new Failover(['m1', 'm2'], clock))).rejects.toBe(taken);
    expect(asked.filter((each) => each.startsWith('m1'))).toHaveLength(2);
  });

  it('a call that may take long is asked of one server, as long as its connection stands', async () => {
    scripts = { m1: { says: 'waited', after: 4_000 }, m2: { says: 'never' } };
    expect(await run(new Failover(['m1', 'm2'], clock), { hedgeAfter: undefined })).toBe('waited');
    expect(asked).toEqual(['m1@0']);
    scripts['m1'] = { says: hangs, after: 500 };
    expect(await run(new Failover(['m1', 'm2'], clock), { hedgeAfter: undefined })).toBe('never');
  });

  it('a leader that is silent is not asked because a standby names it, while silence is remembered', async () => {
    scripts = { m1: { silent: true }, m2: { says: standby('m1') }, m3: { says: 'by itself' } };
    const failover = new Failover(['m1', 'm2', 'm3'], clock);
    expect(await run(failover, read)).toBe('by itself');
    expect(clock.now()).toBe(300);
    failover.moveOn('m3', standby('m1'));
    expect(failover.current).not.toBe('m1');
    await clock.advance(silenceRemembered);
    expect(failover.current).toBe('m1');
  });

  it('while one server hangs, the others are asked again and again', async () => {
    scripts = { m1: { silent: true }, m2: { says: electing } };
    const failover = new Failover(['m1', 'm2'], clock);
    const running = failover.run(seconds(5), attempt, read);
    await clock.advance(milliseconds(750));
    scripts['m2'] = { says: 'elected' };
    expect(await clock.until(running, seconds(1))).toBe('elected');
    expect(asked).toEqual(['m1@0', 'm2@300+', 'm2@400+', 'm2@500+', 'm2@600+', 'm2@700+', 'm2@800+']);
  });

  it('ends within a second where all refuse, if the caller asks for that, and not where they only do not answer', async () => {
    scripts = {};
    const hasty = { ...read, endWhenRefused: milliseconds(800) };
    await expect(run(new Failover(['m1', 'm2'], clock), hasty)).rejects.toBe(refused);
    expect(clock.now()).toBeLessThan(1_000);
    scripts = { m1: { says: hangs } };
    await expect(run(new Failover(['m1'], clock), hasty)).rejects.toBe(hangs);
    expect(clock.now()).toBeGreaterThan(5_000);
  });

  it('says that no server answered when the time is over, and cancels what is under way', async () => {
    scripts = { m1: { silent: true }, m2: { says: standby('m1') } };
    await expect(run(new Failover(['m1', 'm2'], clock), read)).rejects.toMatchObject({ code: 'timed-out' });
    expect(clock.now()).toBe(5_000);
    await clock.advance(milliseconds(0));
    expect(clock.sleeping).toBe(0);
  });

  it('ends at the signal', async () => {
    scripts = { m1: { silent: true } };
    const abort = new AbortController();
    const running = new Failover(['m1'], clock).run(seconds(5), attempt, { signal: abort.signal });
    await clock.advance(milliseconds(10));
    abort.abort();
    await expect(running).rejects.toMatchObject({ kind: 'unavailable' });
    expect(clock.now()).toBe(10);
  });

  describe('when other servers are known', () => {
    it('asks a new server, also in a call under way', async () => {
      scripts = { m1: { says: refused }, m2: { says: 'done' } };
      const failover = new Failover(['m1'], clock);
      const running = failover.run(seconds(5), attempt);
      await clock.advance(milliseconds(10));
      failover.know(['m1', 'm2']);
      expect(await clock.until(running, seconds(5))).toBe('done');
      expect(failover.known).toEqual(['m1', 'm2']);
    });

    it('leaves a server that is gone, also if it answered last', async () => {
      scripts = { m1: { says: 'one' }, m2: { says: 'two' } };
      const failover = new Failover(['m1', 'm2'], clock);
      await run(failover);
      failover.know(['m2', 'm3']);
      expect(failover.current).toBe('m2');
      expect(await run(failover)).toBe('two');
      expect(asked).toEqual(['m1@0', 'm2@0']);
    });

    it('stays at the server that answered last, and at a leader that only a refusal has named', async () => {
      scripts = { m1: { says: standby('m9') }, m2: { says: 'two' }, m9: { says: 'nine' } };
      const failover = new Failover(['m1', 'm2'], clock);
      expect(await run(failover)).toBe('nine');
      failover.know(['m1', 'm2', 'm3']);
      expect(await run(failover)).toBe('nine');
      failover.stay('m2');
      failover.know(['m1', 'm2']);
      expect(failover.current).toBe('m2');
    });

    it('forgets the silence of a server that is gone', async () => {
      scripts = { m1: { silent: true }, m2: { says: 'two' } };
      const failover = new Failover(['m1', 'm2'], clock);
      await run(failover);
      failover.know(['m2']);
      failover.know(['m1']);
      expect(failover.current).toBe('m1');
    });

    it('must know a server', () => {
      const failover = new Failover(['m1'], clock);
      expect(() => failover.know([])).toThrow('no manager address is known');
      expect(failover.known).toEqual(['m1']);
    });
  });
});
