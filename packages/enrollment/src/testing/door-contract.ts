import { createRequest, formatTrustBundle } from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import { JoinRequest } from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import { milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';
import { SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Door, Knock } from '../door.ts';
import { MemoryManagers } from './memory-managers.ts';

/** A manager that serves joiners. The clocks are those of this machine. */
export interface DoorWorld {
  readonly managers: MemoryManagers;
  readonly knock: Knock;
  readonly address: string;
  /** Where no process listens. */
  readonly closed: string;
  /** Where the host accepts connections, and nothing is said. */
  readonly silent: string;
  close(): void;
}

/** What every Door must do. */
export function describeDoor(name: string, create: () => Promise<DoorWorld>): void {
  describe(`Door contract: ${name}`, () => {
    let world: DoorWorld;
    const doors: Door[] = [];
    const limits = { timeout: seconds(5), signal: new AbortController().signal };
    beforeEach(async () => {
      world = await create();
    });
    afterEach(() => {
      for (const door of doors.splice(0)) door.close();
      world.close();
    });

    function knock(address = world.address, pin = world.managers.pin): Door {
      const door = world.knock(address, pin);
      doors.push(door);
      return door;
    }

    it('opens with the right pin', async () => {
      const trust = await knock().getTrust({}, limits);
      expect(trust.clusterId).toBe(world.managers.cluster);
      expect(trust.roots.join('')).toBe(formatTrustBundle(world.managers.managerCredential().trust));
    });

    it('admits a joiner', async () => {
      const token = world.managers.createToken('agent');
      const request = JoinRequest.create({
        ...{ requestId: randomUuid(new SeededRandom(1)), tokenId: token.id, tokenSecret: token.secret, name: 'h1' },
        ...{ certificateRequest: createRequest(createKey()), timeMs: BigInt(Date.now()) },
      });
      const door = knock();
      const answer = await door.join(request, limits);
      expect(answer).toMatchObject({ role: 'agent', clusterId: world.managers.cluster });
      expect(await door.join(request, limits)).toEqual(answer);
      expect(world.managers.used(token)).toBe(1);
    });

    it('gives the refusal of the manager', async () => {
      const token = world.managers.createToken('agent', 0);
      const request = JoinRequest.create({
        ...{ requestId: randomUuid(new SeededRandom(2)), tokenId: token.id, tokenSecret: token.secret, name: 'h1' },
        ...{ certificateRequest: createRequest(createKey()), timeMs: BigInt(Date.now()) },
      });
      await expect(knock().join(request, limits)).rejects.toMatchObject({ code: 'token-used' });
    });

    it('does not open with another pin', async () => {
      const { pin } = new MemoryManagers({ clock: systemClock, random: new SeededRandom(3) });
      await expect(knock(world.address, pin).getTrust({}, limits)).rejects.toMatchObject({ code: 'ca-mismatch' });
      expect(world.managers.calls).toEqual([]);
    });

    it('says that no process listens', async () => {
      await expect(knock(world.closed).getTrust({}, limits)).rejects.toMatchObject({ code: 'manager-unavailable' });
    });

    it('waits for an answer until the timeout', async () => {
      const short = { ...limits, timeout: milliseconds(300) };
      await expect(knock(world.silent).getTrust({}, short)).rejects.toMatchObject({ kind: 'unavailable' });
    });
  });
}
