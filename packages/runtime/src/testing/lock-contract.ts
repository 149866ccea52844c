import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lock } from '../lock.ts';

/** A lock, as this process and other processes take it. */
export interface LockWorld {
  /** Each call returns the same lock. */
  lock(): Lock;
  /** A different lock. */
  other(): Lock;
  /** Another process takes the lock; resolves once it has. */
  elsewhere(): Promise<{ readonly pid: number; kill(): Promise<void> }>;
  close(): Promise<void>;
}

/** What every Lock must do. */
export function describeLock(name: string, create: () => Promise<LockWorld>): void {
  describe(`Lock contract: ${name}`, () => {
    let world: LockWorld;
    beforeEach(async () => {
      world = await create();
    });
    afterEach(() => world.close());

    it('is given once, and the next caller learns who has it', async () => {
      const first = await world.lock().take();
      expect(first.kind).toBe('held');
      expect(await world.lock().take()).toEqual({ kind: 'taken', pid: process.pid });
      if (first.kind === 'held') first.release();
    });

    it('is free again once it is released', async () => {
      for (let time = 0; time < 2; time++) {
        const taken = await world.lock().take();
        expect(taken.kind).toBe('held');
        if (taken.kind === 'held') taken.release();
      }
    });

    it('does not hinder the holder of another lock', async () => {
      const [one, other] = [await world.lock().take(), await world.other().take()];
      expect([one.kind, other.kind]).toEqual(['held', 'held']);
      for (const taken of [one, other]) if (taken.kind === 'held') taken.release();
    });

    it('ends with the process that holds it, also by kill -9', async () => {
      const holder = await world.elsewhere();
      expect(await world.lock().take()).toEqual({ kind: 'taken', pid: holder.pid });
      await holder.kill();
      const taken = await world.lock().take();
      expect(taken.kind).toBe('held');
      if (taken.kind === 'held') taken.release();
    });
  });
}
