import {
  type Authority,
  crossSign,
  issueRoot,
  type PrivateKey,
  type SealingKey,
  sealAuthority,
} from '@causeway/identity';
import type { ClusterId } from '@causeway/model';
import type { Random } from '@causeway/runtime';
import type { NextCa } from '../../plan/rotate-ca.ts';
import type { Ca } from '../../store/records/ca.ts';
import type { Versioned } from '../../store/view.ts';

interface NextCaParts {
  readonly cluster: ClusterId;
  /** The present CA, opened. */
  readonly authority: Authority;
  readonly sealingKey: SealingKey;
  readonly createKey: () => PrivateKey;
  readonly random: Random;
  /** Unix ms. */
  readonly now: number;
}

/** A new CA with a new key. The key of the present CA is needed for the last time: it signs the new root. */
export function nextCa(parts: NextCaParts, { value, revision: from }: Versioned<Ca>): NextCa {
  const { cluster, authority, sealingKey, createKey, random, now } = parts;
  const own = createKey();
  const root = issueRoot(cluster, own, { now, random });
  const ca: Ca = {
    generation: value.generation + 1,
    roots: [root, authority.certificate],
    signer: { kind: 'sealed', key: sealAuthority(own, sealingKey, cluster, random) },
    crossSigned: crossSign(authority, root, { now, random }),
    life: value.life,
    ...(value.autolock !== undefined && { autolock: value.autolock }),
  };
  return { from, ca };
}
