import { createPublicKey } from 'node:crypto';
import { issueNode, issueRoot } from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import type { ClusterId } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { whyExpired } from './own-credential.ts';

const cluster = 'c1c1c1c1c1c1c1c1' as ClusterId;

test('a manager that was stopped for longer than its certificate was valid says so, and what to do', () => {
  const issuing = { now: Date.UTC(2026, 10, 1), random: new SeededRandom(1) };
  const [caKey, key] = [createKey(), createKey()];
  const root = issueRoot(cluster, caKey, issuing);
  const holder = { name: { cluster, role: 'manager', id: 'm1' }, key: createPublicKey(key), hosts: [] } as const;
  const certificate = issueNode({ certificate: root, key: caKey }, holder, issuing);
  const credential = { chain: [certificate] } as const;
  expect(whyExpired(credential, certificate.notAfter)).toBeUndefined();
  expect(whyExpired(credential, certificate.notAfter + 1)).toMatch(
    /^the certificate of this manager expired on 2026-12-01T\S+, .*run "causeway join" again with a manager's token/,
  );
});
