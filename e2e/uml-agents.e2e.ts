import { type Outcome, type Stories, tell } from '@causeway/uml';
import { beforeAll, expect, test } from 'vitest';
import { describeLab } from './requirements.ts';

describeLab('manager and agents on a kernel that has ESP (User-Mode Linux)', () => {
  let story: Stories['agents'];
  beforeAll(async () => {
    story = await tell('agents');
  }, 630_000);

  test('containers of all hosts reach each other, and the capture of the underlay can read what they say', () => {
    const { pings, readable, vxlan } = foundBy(story.plain);
    expect(pings).toEqual(Array(6).fill({ sent: 2, received: 2, duplicates: 0 }));
    expect(readable).toBe(24);
    expect(vxlan).toBeGreaterThanOrEqual(24);
  });
}, ['linux.uml', 'modprobe', 'tcpdump']);

/** What a step found. Throws what went wrong in the guest. */
function foundBy<Value>(outcome: Outcome<Value> | undefined): Value {
  if (outcome === undefined) throw new Error('the step was not reached');
  if ('error' in outcome) throw new Error(outcome.error);
  return outcome.value;
}
