import {
  type Certificate,
  crossSign,
  issueRoot,
  type PrivateKey,
  type SealingKey,
  sealAuthority,
  sealNoAuthority,
} from '@causeway/identity';
import type { ClusterId } from '@causeway/model';
import type { Random } from '@causeway/runtime';
import type { NextCa } from '../../plan/rotate-ca.ts';
import type { Ca } from '../../store/records/ca.ts';
import type { Versioned } from '../../store/view.ts';
import type { Signing } from './signing.ts';

interface NextCaParts {
  readonly cluster: ClusterId;
  /** Who signs for the present CA. */
  readonly signing: Signing;
  readonly createKey: () => PrivateKey;
  readonly random: Random;
  /** Unix ms. */
  readonly now: number;
}

/** The next root and the next root signed by the present one. */
export interface NextAuthority {
  readonly root: Certificate;
  readonly crossSigned: Certificate;
  /** Absent: a program has the key. */
  readonly key?: PrivateKey;
}

/**
 * A new CA with a new key. The key of the present CA is needed for the last time: it signs the new root.
 * @throws CausewayError external-ca-failed
 */
export async function nextAuthority(parts: NextCaParts, signal: AbortSignal): Promise<NextAuthority> {
  const { cluster, signing, createKey, random, now } = parts;
  if (signing.kind === 'external') return await signing.signer.next(signing.root, { now, signal });
  const key = createKey();
  const root = issueRoot(cluster, key, { now, random });
  return { root, key, crossSigned: crossSign(signing.authority, root, { now, random }) };
}

/** The record with the next CA, sealed. */
export function nextCa(
  { cluster, random }: Pick<NextCaParts, 'cluster' | 'random'>,
  { root, crossSigned, key }: NextAuthority,
  sealingKey: SealingKey,
  { value, revision: from }: Versioned<Ca>,
): NextCa {
  const [present] = value.roots;
  if (present === undefined) throw new TypeError('a bundle is never empty');
  const ca: Ca = {
    generation: value.generation + 1,
    roots: [root, present],
    signer: signerOf(key, sealingKey, { cluster, random }),
    crossSigned,
    life: value.life,
    ...(value.autolock !== undefined && { autolock: value.autolock }),
  };
  return { from, ca };
}

/** `key`: of the CA; absent: a program has it. */
export function signerOf(
  key: PrivateKey | undefined,
  sealingKey: SealingKey,
  { cluster, random }: Pick<NextCaParts, 'cluster' | 'random'>,
): Ca['signer'] {
  return key === undefined
    ? { kind: 'external', key: sealNoAuthority(sealingKey, cluster, random) }
    : { kind: 'sealed', key: sealAuthority(key, sealingKey, cluster, random) };
}
