import { issueRoot } from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import type { ClusterId } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { describe, test } from 'vitest';
import { newAuthority } from '../cluster/ca/founding.ts';
import { externalCaContract } from './external-ca-contract.ts';
import { MemoryCa } from './memory-ca.ts';

const cluster = 'c1c1c1c1c1c1c1c1' as ClusterId;
const parts = { createKey, random: new SeededRandom(3), now: 1_800_000_000_000 };

describe('ExternalCa contract: MemoryCa', () => {
  test.each(externalCaContract)('$name', async ({ run }) => {
    const authority = newAuthority(parts, cluster);
    const ca = new MemoryCa({ ...parts, cluster }, authority);
    const strange = issueRoot(cluster, createKey(), parts);
    await run({ ca, cluster, root: authority.certificate, strange, now: parts.now });
  });
});
