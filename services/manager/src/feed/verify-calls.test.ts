import { warningsOf } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { scriptNode } from '../testing/view-script.ts';
import { VerifyCalls } from './verify-calls.ts';

test('a verification of many hosts ends with its signal, and Node has no warning about listeners', async () => {
  const hosts = Array.from({ length: 20 }, (_, i) => scriptNode(i + 1));
  const limit = new AbortController();
  const warnings = await warningsOf(async () => {
    const outcome = new VerifyCalls().askAll(hosts, () => ({ send: () => undefined }), false, limit.signal);
    limit.abort();
    expect(await outcome).toEqual({ drift: [], checked: [], unreachable: hosts.map(({ name }) => name).sort() });
  });
  expect(warnings).toEqual([]);
});
