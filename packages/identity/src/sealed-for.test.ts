import { createPublicKey } from 'node:crypto';
import { unwrap } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { openFor, sealFor } from './sealed-for.ts';
import { cluster, keyOf, otherCluster } from './testing/fixtures.ts';
import { outcome } from './testing/outcome.ts';

const [own, other, ephemeral] = [keyOf(1), keyOf(2), keyOf(3)];
const context = { cluster, purpose: 'sealing key' };
const secret = new SeededRandom(4).bytes(64);
const sealed = sealFor(createPublicKey(own), secret, context, { ephemeral, random: new SeededRandom(5) });

test('a secret that is sealed for a holder opens with the private key', () => {
  expect(unwrap(openFor(own, sealed, context))).toEqual(secret);
});

describe('it does not open', () => {
  test('with another key, for another cluster or purpose', () => {
    expect(outcome(openFor(other, sealed, context))).toContain('unlock-key-wrong');
    expect(outcome(openFor(own, sealed, { ...context, cluster: otherCluster }))).toContain('data-damaged');
    expect(outcome(openFor(own, sealed, { ...context, purpose: 'CA key' }))).toContain('data-damaged');
  });

  test('when any byte is changed or it is cut off, and no error has a part of it', () => {
    for (let i = 0; i < sealed.length; i++) {
      const changed = sealed.slice();
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(outcome(openFor(own, changed, context))).not.toBe('accepted');
    }
    for (const length of [0, 50, 91, 120])
      expect(outcome(openFor(own, sealed.slice(0, length), context))).toContain('damaged');
  });
});
