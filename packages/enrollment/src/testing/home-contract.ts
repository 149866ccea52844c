import { createRequest, formatCertificates } from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import type { RequestId } from '@causeway/model';
import { systemClock } from '@causeway/runtime/io';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { enroll } from '../enroll.ts';
import type { Attempt, Home } from '../home.ts';
import { MemoryManagers } from './memory-managers.ts';

/** What every Home must do. `create`: the same place each time, as another process finds it. */
export function describeHome(name: string, createPlace: () => Promise<() => Home>): void {
  describe(`Home contract: ${name}`, () => {
    let home: () => Home;
    beforeEach(async () => {
      home = await createPlace();
    });

    it('is empty at first', async () => {
      expect(await home().read()).toBeUndefined();
      expect(await home().attempt()).toBeUndefined();
    });

    it('has an attempt until there is a membership', async () => {
      const key = createKey();
      const requestId = '5d8b0e5a-5f2c-4f0e-8a53-0d9c4f2b7a11' as RequestId;
      const attempt: Attempt = { about: 'a token', requestId, key, request: createRequest(key) };
      await home().keepAttempt(attempt);
      const kept = await home().attempt();
      expect(kept).toMatchObject({ about: 'a token', requestId });
      expect(Buffer.from(kept?.request ?? [])).toEqual(Buffer.from(attempt.request));
      expect(kept?.key.export({ format: 'jwk' })).toEqual(key.export({ format: 'jwk' }));
      expect(await home().read()).toBeUndefined();
    });

    it('has the membership of who joined, and no attempt any more', async () => {
      const parts = { clock: systemClock, random: new SeededRandom(1) };
      const managers = new MemoryManagers(parts);
      const token = managers.createToken('manager');
      const asked = { token, addresses: ['10.0.0.1:7443'], name: 'm2' as never };
      const { knock } = managers;
      await enroll({ ...parts, knock, home: home(), createKey }, asked, new AbortController().signal);
      expect(await home().read()).toMatchObject({
        name: { cluster: managers.cluster, role: 'manager', id: 'm2' },
        token: token.id,
        managers: ['10.0.0.1:7443'],
      });
      expect(await home().attempt()).toBeUndefined();
      await home().keepManagers(['10.0.0.2:7443']);
      expect(await home().read()).toMatchObject({ token: token.id, managers: ['10.0.0.2:7443'] });
      expect(formatCertificates((await home().credential()).trust)).toBe(
        formatCertificates(managers.managerCredential().trust),
      );
      await home().clear();
      expect(await home().read()).toBeUndefined();
      await expect(home().credential()).rejects.toMatchObject({ code: 'identity-missing' });
    });
  });
}
