import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Authority,
  type Credential,
  checkRequest,
  crossSign,
  formatCertificates,
  formatTrustBundle,
  issueNode,
  issueRoot,
  publicKeyFor,
} from '@causeway/identity';
import { createKey, readCredential, writeCredential } from '@causeway/identity/io';
import { type ClusterId, unwrap } from '@causeway/model';
import { minutes } from '@causeway/runtime';
import { cryptoRandom } from '@causeway/runtime/io';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OperatorSource, renewOperator } from './operator-credential.ts';

const cluster = 'c1c1c1c1c1c1c1c1' as ClusterId;
const name = { cluster, role: 'operator', id: 'admin' } as const;
const hour = 3_600_000;
const now = Date.now();
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'causeway-operator-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function authority(): Authority {
  const key = createKey();
  return { key, certificate: issueRoot(cluster, key, { now, random: cryptoRandom }) };
}

/** A certificate of ten hours that was issued this many hours ago. */
async function hold(by: Authority, age: number): Promise<Credential> {
  const key = createKey();
  const issuing = { now: now - age * hour, random: cryptoRandom, life: minutes(600) };
  const certificate = issueNode(by, { name, key: publicKeyFor(key) }, issuing);
  const credential = { key, chain: [certificate], trust: [by.certificate] } as const;
  await writeCredential(directory, credential);
  return credential;
}

/** Managers that trust these roots, the newest first, and issue by the first. */
function managers(by: Authority, former?: Authority): OperatorSource & { issued: number } {
  const roots = [by, ...(former === undefined ? [] : [former])].map(({ certificate }) => certificate);
  const source = {
    issued: 0,
    trust: async () => ({ roots: formatTrustBundle(roots) }),
    renew: async (request: Uint8Array) => {
      source.issued++;
      const issuing = { now, random: cryptoRandom };
      const certificate = issueNode(by, { name, key: unwrap(checkRequest(request)) }, issuing);
      const cross = former === undefined ? [] : [crossSign(former, by.certificate, issuing)];
      return { chain: formatCertificates([certificate, ...cross]), roots: formatTrustBundle(roots) };
    },
  };
  return source;
}

const renewed = async (source: OperatorSource): Promise<string> => {
  await renewOperator({}, directory, source, new AbortController().signal);
  return (await readCredential(directory)).chain[0].serial;
};

test('a certificate is renewed by the first command in the second half of its life', async () => {
  const ca = authority();
  const young = await hold(ca, 4);
  const source = managers(ca);
  expect(await renewed(source)).toBe(young.chain[0].serial);
  const old = await hold(ca, 6);
  const serial = await renewed(source);
  expect(serial).not.toBe(old.chain[0].serial);
  expect(await renewed(source)).toBe(serial);
  expect(source.issued).toBe(1);
});

test('a certificate of a CA that is replaced is renewed at once', async () => {
  const [former, next] = [authority(), authority()];
  await hold(former, 1);
  const source = managers(next, former);
  const serial = await renewed(source);
  expect(await renewed(source)).toBe(serial);
  expect(source.issued).toBe(1);
  expect((await readCredential(directory)).trust).toHaveLength(2);
});

test('what the managers refuse changes nothing', async () => {
  const ca = authority();
  const old = await hold(ca, 6);
  const source = { ...managers(ca), renew: () => Promise.reject(new Error('the leader is locked')) };
  await expect(renewed(source)).rejects.toThrow('the leader is locked');
  expect((await readCredential(directory)).chain[0].serial).toBe(old.chain[0].serial);
});
