import { enroll } from '@causeway/enrollment';
import { MemoryManagers } from '@causeway/enrollment/testing';
import { createKey } from '@causeway/identity/io';
import type { Name, RequestId } from '@causeway/model';
import { systemClock } from '@causeway/runtime/io';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Contexts } from '../contexts.ts';

/** What every Contexts must do. `create`: contexts of a user who has none. Each call of the result is another process. */
export function describeContexts(name: string, create: () => Promise<() => Contexts>): void {
  describe(`Contexts contract: ${name}`, () => {
    let contexts: () => Contexts;
    const parts = { clock: systemClock, random: new SeededRandom(1) };
    const managers = new MemoryManagers(parts);
    beforeEach(async () => {
      contexts = await create();
    });

    async function add(context: string): Promise<void> {
      const home = contexts().home(context);
      const token = managers.createToken('operator');
      const asked = { token, addresses: ['10.0.0.1:7443'], name: 'eve' as Name };
      await enroll({ ...parts, knock: managers.knock, home, createKey }, asked, new AbortController().signal);
    }

    it('has none at first', async () => {
      expect(await contexts().all()).toEqual([]);
      expect(await contexts().chosen()).toBeUndefined();
    });

    it('lists what was added, by name', async () => {
      await add('prod');
      await add('dev');
      const holder = { cluster: managers.cluster, role: 'operator', id: 'eve' };
      const state = { kind: 'whole', holder, managers: ['10.0.0.1:7443'], expires: expect.any(Number) };
      expect(await contexts().all()).toEqual([
        { name: 'dev', state },
        { name: 'prod', state },
      ]);
    });

    it('has no context where a token was refused', async () => {
      const [home, key] = [contexts().home('prod'), createKey()];
      const requestId = '5d8b0e5a-5f2c-4f0e-8a53-0d9c4f2b7a11' as RequestId;
      await home.keepAttempt({ about: 'a token', requestId, key, request: new Uint8Array(1) });
      expect(await contexts().all()).toEqual([]);
    });

    it('remembers which was chosen, until it is removed', async () => {
      await add('prod');
      await add('dev');
      await contexts().use('prod');
      await contexts().remove('dev');
      expect(await contexts().chosen()).toBe('prod');
      await contexts().remove('prod');
      expect(await contexts().chosen()).toBeUndefined();
      expect(await contexts().all()).toEqual([]);
    });
  });
}
