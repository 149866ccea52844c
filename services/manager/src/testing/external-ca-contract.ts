import {
  type Certificate,
  createRequest,
  isIssuedBy,
  orderFor,
  parsePeerName,
  publicKeyFor,
  verifyPeer,
} from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import { type ClusterId, unwrap } from '@causeway/model';
import { minutes } from '@causeway/runtime';
import { MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { expect } from 'vitest';
import type { ExternalCa } from '../cluster/ca/external-ca.ts';
import { ExternalSigner } from '../cluster/ca/external-signer.ts';
import { sign } from '../cluster/ca/signing.ts';

interface ExternalCaWorld {
  readonly ca: ExternalCa;
  readonly cluster: ClusterId;
  readonly root: Certificate;
  /** A root whose key the CA does not have. */
  readonly strange: Certificate;
  /** Unix ms. */
  readonly now: number;
}

interface ExternalCaCase {
  readonly name: string;
  run(world: ExternalCaWorld): Promise<void>;
}

const life = minutes(30 * 24 * 60);
const going = (): AbortSignal => new AbortController().signal;

/** A certificate that this root has issued for the holder of that URI, as a manager asks for it. */
async function issued(
  { ca, cluster, now }: ExternalCaWorld,
  root: Certificate,
  holder: string,
  hosts: readonly string[] = [],
): Promise<Certificate> {
  const name = unwrap(parsePeerName(`spiffe://${cluster}/${holder}`));
  const key = createKey();
  const issuing = { now, life, random: new SeededRandom(1) };
  const applicant = { name, hosts, request: createRequest(key) };
  const signer = signerOf(ca, now);
  const certificate = await sign({ kind: 'external', root, signer }, applicant, issuing, going());
  const expected = { cluster, roles: [name.role], trust: [root], now };
  expect(unwrap(verifyPeer([certificate], expected)).name).toEqual(name);
  expect(certificate.publicKey.equals(publicKeyFor(key))).toBe(true);
  return certificate;
}

function signerOf(ca: ExternalCa, now: number): ExternalSigner {
  return new ExternalSigner({ ca, clock: { wall: () => now }, log: new MemoryLog() });
}

/** The contract suite of ExternalCa, which CaProgram and MemoryCa pass. */
export const externalCaContract: readonly ExternalCaCase[] = [
  {
    name: 'issues just what was ordered, for each role',
    run: async (world) => {
      await issued(world, world.root, 'agent/a1a1a1a1a1a1a1a1');
      await issued(world, world.root, 'operator/ops');
      await issued(world, world.root, 'manager/m1', ['127.0.0.1', '2001:db8::7', 'localhost', 'm1.example']);
    },
  },
  {
    name: 'issues many at a time, each with a serial number of its own',
    run: async (world) => {
      const names = Array.from({ length: 12 }, (_, i) => `operator/o${i}`);
      const all = await Promise.all(names.map((name) => issued(world, world.root, name)));
      expect(new Set(all.map(({ serial }) => serial)).size).toBe(names.length);
    },
  },
  {
    name: 'makes one next root for each root, and then issues for either',
    run: async (world) => {
      const { ca, root, now } = world;
      const signer = signerOf(ca, now);
      const next = await signer.next(root, { now, signal: going() });
      expect((await signer.next(root, { now, signal: going() })).root.der).toEqual(next.root.der);
      const later = await issued(world, next.root, 'manager/m1');
      expect(isIssuedBy(later, next.root)).toBe(true);
      // A peer that has not heard of the next root.
      const expected = { cluster: world.cluster, roles: ['manager'] as const, trust: [root], now };
      expect(unwrap(verifyPeer([later, next.crossSigned], expected)).name.id).toBe('m1');
      await issued(world, root, 'agent/a1a1a1a1a1a1a1a1');
    },
  },
  {
    name: 'fails for a root whose key it does not have',
    run: async (world) => {
      await expect(issued(world, world.strange, 'operator/ops')).rejects.toMatchObject({ code: 'external-ca-failed' });
      const { ca, strange, now } = world;
      const next = signerOf(ca, now).next(strange, { now, signal: going() });
      await expect(next).rejects.toMatchObject({ code: 'external-ca-failed' });
    },
  },
  {
    name: 'does nothing for a caller who has left',
    run: async ({ ca, cluster, root, now }) => {
      const name = unwrap(parsePeerName(`spiffe://${cluster}/operator/ops`));
      const order = orderFor({ name }, createRequest(createKey()), { root, now, life });
      const refused = { code: 'external-ca-failed', message: expect.stringContaining('the caller has left') };
      await expect(ca.issue(order, AbortSignal.abort())).rejects.toMatchObject(refused);
    },
  },
];
