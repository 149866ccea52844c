import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryHome } from '@causeway/enrollment/io';
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
import { type ClientCredentials, createKey, readCredential, writeCredential } from '@causeway/identity/io';
import { EchoClient, echoServer, TestCluster } from '@causeway/identity/io/testing';
import { type ClusterId, unwrap } from '@causeway/model';
import { minutes } from '@causeway/runtime';
import { cryptoRandom } from '@causeway/runtime/io';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  managersOfContext,
  type OperatorSource,
  operatorCredentials,
  renewalTimeOf,
  renewOperator,
} from './operator-credential.ts';

const cluster = 'c1c1c1c1c1c1c1c1' as ClusterId;
const name = { cluster, role: 'operator', id: 'admin' } as const;
const hour = 3_600_000;
const [m1, m2, m3] = ['10.0.0.1:7443', '10.0.0.2:7443', '10.0.0.3:7443'] as const;
const now = Date.now();
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'causeway-operator-'));
});
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
  rmSync(directory, { recursive: true });
});
const ends: (() => void)[] = [];

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
function managers(
  by: Authority,
  former?: Authority,
): OperatorSource & { issued: number; address: string; managers: readonly string[] } {
  const roots = [by, ...(former === undefined ? [] : [former])].map(({ certificate }) => certificate);
  const source = {
    issued: 0,
    address: m1,
    managers: [] as readonly string[],
    trust: async () => ({ roots: formatTrustBundle(roots), removed: [], managers: source.managers }),
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

test('a command waits for a new certificate: longer when it is late, or when all members wait for it', async () => {
  const [ca, next] = [authority(), authority()];
  const limits = async (age: number, by = ca): Promise<number | undefined> =>
    renewalTimeOf(await hold(ca, age), [by.certificate], now);
  expect(await limits(4)).toBeUndefined();
  expect(await limits(6)).toBe(1_500);
  expect(await limits(8.5)).toBe(10_000);
  expect(await limits(1, next)).toBe(10_000);
});

test('a manager of whose removal a command has learned from another manager is refused by the next command', async () => {
  const members = new TestCluster();
  await writeCredential(directory, members.credential('operator', 'ops'));
  const [one, two] = [await serve(members, 'm1'), await serve(members, 'm2')];
  const who = async (at: string): Promise<string> => await ask(at, await operatorCredentials({}, directory));
  expect(await who(one)).toBe('operator/ops');
  const roots = formatTrustBundle(members.expectedOfManagers.trust);
  const removed = [{ name: 'm1', at: Date.now() - 60_000, isUntilJoin: true }];
  const trust = async () => ({ roots, removed, managers: [] });
  await renewOperator({}, directory, { ...managers(authority()), trust }, new AbortController().signal);
  expect(await who(one)).toMatch(/manager-removed.*manager\/m1 was removed from the cluster/);
  expect(await who(two)).toBe('operator/ops');
});

describe('the managers of a context', () => {
  /** What the context has after a command that was answered by the manager at `address`. */
  async function managersAfter(told: readonly string[], address: string = m1): Promise<readonly string[]> {
    await renewed(Object.assign(managers(ca), { managers: told, address }));
    return await managersOfContext({}, directory);
  }
  let ca: Authority;

  beforeEach(async () => {
    ca = authority();
    await hold(ca, 1);
    await new DirectoryHome({ directory }).keepManagers([m1]);
  });

  test('are those that the managers have said last, also those that joined later', async () => {
    expect(await managersAfter([m1, m2, m3])).toEqual([m1, m2, m3]);
    expect(await managersAfter([m2, m3], m2)).toEqual([m2, m3]);
  });

  test('stay when the command found the managers in another way, or the manager says nothing of use', async () => {
    expect(await managersAfter([m2, m3], '127.0.0.1:17443')).toEqual([m1]);
    expect(await managersAfter([])).toEqual([m1]);
    expect(await managersAfter(['unix:7443'])).toEqual([m1]);
  });

  test('keep the address that led to the managers, if these do not name it', async () => {
    expect(await managersAfter([m2, m3])).toEqual([m1, m2, m3]);
  });
});

async function serve(members: TestCluster, name: string): Promise<string> {
  const { address, stop } = await members.serve(echoServer(), members.member('manager', name));
  ends.push(stop);
  return address;
}

async function ask(address: string, credentials: ClientCredentials): Promise<string> {
  const client = new EchoClient(Number(address.split(':')[1]), credentials);
  ends.push(() => client.close());
  return await client.who();
}

test('what the managers refuse changes nothing', async () => {
  const ca = authority();
  const old = await hold(ca, 6);
  const source = { ...managers(ca), renew: () => Promise.reject(new Error('the leader is locked')) };
  await expect(renewed(source)).rejects.toThrow('the leader is locked');
  expect((await readCredential(directory)).chain[0].serial).toBe(old.chain[0].serial);
});
