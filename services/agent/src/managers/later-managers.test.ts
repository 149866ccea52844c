import { CausewayError } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { beforeEach, expect, it } from 'vitest';
import { FakeManager } from '../testing/fake-manager.ts';
import { Host } from '../testing/host.ts';
import type { SessionChannel } from './link.ts';

const [m1, m2] = ['10.0.0.1:7443', '10.0.0.2:7443'] as const;

/** The managers of a cluster, of which only these run. */
class Some extends FakeManager {
  readonly running = new Set<string>([m1]);
  readonly asked: string[] = [];

  override connect(address: string = m1): SessionChannel {
    this.asked.push(address);
    if (this.running.has(address)) return super.connect();
    const refused = new CausewayError('manager-unavailable', 'ECONNREFUSED', { grpcCode: 14, refused: true });
    // biome-ignore lint/correctness/useYield: it fails before its first message
    async function* messages(): AsyncGenerator<never> {
      throw refused;
    }
    return { messages: messages(), send: () => undefined, close: () => undefined };
  }

  /** From now on only this manager runs. */
  goOver(to: string): void {
    this.running.clear();
    this.running.add(to);
    this.down = true;
    this.down = false;
  }
}

let managers: Some;
let h: Host;
beforeEach(async () => {
  managers = new Some();
  h = await new Host({}, managers, [m1]).start();
});

it('finds a manager that joined after the host, when those that it knew are down', async () => {
  h.agent.knowManagers([m1, m2]);
  expect((await h.status()).manager).toBe(m1);
  expect(managers.asked).toEqual([m1]);
  managers.goOver(m2);
  await h.settle(seconds(2));
  expect((await h.status()).manager).toBe(m2);
});

it('does not ask a manager that was removed', async () => {
  h.agent.knowManagers([m2]);
  managers.goOver(m2);
  await h.settle(seconds(2));
  expect((await h.status()).manager).toBe(m2);
  expect(managers.asked).toEqual([m1, m2]);
});
