import { CausewayError } from '@causeway/model';
import { minutes, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Credential } from '../credential.ts';
import { agent, authorityOf, cluster, credentialOf, day, manager } from '../testing/fixtures.ts';
import { formatTrustBundle } from '../trust.ts';
import { type Certificate, formatCertificates } from '../x509/certificate.ts';
import { type Authority, crossSign, issueNode } from '../x509/issue.ts';
import { checkRequest } from '../x509/request.ts';
import { LiveCredential } from './live-credential.ts';
import type { CertificateSource, Trust } from './renew.ts';
import { Renewal } from './renewal.ts';

let clock: FakeClock;
let live: LiveCredential;
let source: Managers;
let kept: Credential[];
let told: (readonly string[])[];
let log: MemoryLog;
let renewal: Renewal;

/** Managers that issue by one CA, and can be told to rotate it. */
class Managers implements CertificateSource {
  authority: Authority;
  roots: readonly Certificate[];
  cross: readonly Certificate[] = [];
  name = agent;
  issued = 0;
  skew = 0;
  managers: readonly string[] = [];
  fails: CausewayError | undefined;

  constructor(authority: Authority) {
    this.authority = authority;
    this.roots = [authority.certificate];
  }

  async trust() {
    if (this.fails !== undefined) throw this.fails;
    return {
      roots: formatTrustBundle(this.roots),
      time: clock.wall() + this.skew,
      removed: [],
      managers: this.managers,
    };
  }

  async renew(request: Uint8Array) {
    if (this.fails !== undefined) throw this.fails;
    const key = checkRequest(request);
    if (!key.ok) throw key.error;
    const issuing = { now: clock.wall(), random: new SeededRandom(++this.issued) };
    const certificate = issueNode(this.authority, { name: this.name, key: key.value }, issuing);
    return { chain: formatCertificates([certificate, ...this.cross]), roots: formatTrustBundle(this.roots) };
  }
}

beforeEach(() => {
  clock = new FakeClock();
  log = new MemoryLog();
  kept = [];
  told = [];
  const authority = authorityOf(1, cluster, clock.wall());
  source = new Managers(authority);
  live = new LiveCredential(credentialOf(authority, agent, { at: clock.wall() }));
});

async function run(): Promise<void> {
  const keep = async (credential: Credential): Promise<void> => void kept.push(credential);
  const learn = async ({ managers }: Pick<Trust, 'managers'>): Promise<void> => void told.push(managers);
  renewal = new Renewal({ credential: live, source, keep, learn, clock, random: new SeededRandom(3), log });
  await renewal.start();
  await clock.advance(seconds(1));
}

test('when it is woken, the managers are asked at once', async () => {
  await run();
  source.authority = authorityOf(2, cluster, clock.wall());
  source.cross = [
    crossSign(authorityOf(1, cluster, clock.wall()), source.authority.certificate, {
      now: clock.wall(),
      random: new SeededRandom(5),
    }),
  ];
  source.roots = [source.authority.certificate, ...source.roots];
  renewal.wake();
  await clock.advance(seconds(1));
  expect(source.issued).toBe(1);
  await renewal.stop();
});

test('what the managers say of managers is passed on each time', async () => {
  source.managers = ['10.0.0.1:7443'];
  await run();
  source.managers = ['10.0.0.1:7443', '10.0.0.2:7443'];
  await clock.advance(minutes(1));
  expect(told).toEqual([['10.0.0.1:7443'], ['10.0.0.1:7443', '10.0.0.2:7443']]);
  await renewal.stop();
});

test('a certificate is renewed at 50 to 80 % of its life, kept on disk, and then used', async () => {
  await run();
  expect(source.issued).toBe(0);
  clock.stepWall(14 * day);
  await clock.advance(minutes(2));
  expect(source.issued).toBe(0);
  clock.stepWall(10 * day);
  await clock.advance(minutes(2));
  expect(source.issued).toBe(1);
  expect(kept).toEqual([live.current]);
  await clock.advance(minutes(60));
  expect(source.issued).toBe(1);
  await renewal.stop();
});

test('when the CA is rotated, the certificate is renewed at each change of the roots', async () => {
  await run();
  const next = authorityOf(2, cluster, clock.wall());
  source.cross = [crossSign(source.authority, next.certificate, { now: clock.wall(), random: new SeededRandom(5) })];
  source.roots = [next.certificate, source.authority.certificate];
  source.authority = next;
  await clock.advance(minutes(2));
  expect(live.current.trust).toHaveLength(2);
  expect(live.current.chain).toHaveLength(2);
  source.roots = [next.certificate];
  source.cross = [];
  await clock.advance(minutes(2));
  expect(live.current.trust).toHaveLength(1);
  expect(live.current.chain).toHaveLength(1);
  expect(source.issued).toBe(2);
  await renewal.stop();
});

describe('what cannot be used is not taken', () => {
  test('a certificate of another name', async () => {
    await run();
    source.name = manager;
    clock.stepWall(25 * day);
    const before = live.current;
    await clock.advance(minutes(5));
    expect(source.issued).toBeGreaterThan(1);
    expect(live.current).toBe(before);
    expect(kept).toEqual([]);
    expect(JSON.stringify(log)).toContain('it is of another name');
    await renewal.stop();
  });

  test('managers that do not answer are asked again; a warning comes late in the life of the certificate', async () => {
    await run();
    source.fails = new CausewayError('manager-unavailable', 'no manager answers');
    clock.stepWall(23 * day);
    await clock.advance(minutes(5));
    expect(JSON.stringify(log)).not.toContain('"warn"');
    clock.stepWall(3 * day);
    await clock.advance(minutes(5));
    expect(JSON.stringify(log)).toContain('no manager answers');
    source.fails = undefined;
    await clock.advance(minutes(1));
    expect(source.issued).toBe(1);
    await renewal.stop();
  });
});

test('a clock that went wrong is said', async () => {
  source.skew = 3_600_000;
  await run();
  expect(JSON.stringify(log)).toContain('behind the manager');
  await renewal.stop();
});
