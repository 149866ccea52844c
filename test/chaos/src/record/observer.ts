import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { RangeRequest, WatchCreateRequest, type WatchResponse } from '@causeway/proto/gen/etcd/rpc.js';
import { serveLines } from '../companion/serve.ts';
import { now } from '../now.ts';
import { credentialsOf, EtcdMember } from './etcd.ts';
import { isClaim, leaderOf, readClaim } from './records.ts';
import { type Revision, revisionsOf } from './revision.ts';

/**
 * A process in the lab that records every revision of the store, one JSON line each, and answers on stdin who leads.
 */

/** ms. After this long without a message a new watch is begun at another member: the member may be cut off. */
const silence = 3_000;
const pause = 100;

const { values } = parseArgs({
  options: {
    etcd: { type: 'string' },
    identity: { type: 'string' },
    prefix: { type: 'string' },
    out: { type: 'string' },
  },
});
const { prefix = '/causeway/v1/', out = '' } = values;
const credentials = credentialsOf(values.identity ?? '');
const members = (values.etcd ?? '').split(',').map((url) => new EtcdMember(url, credentials));
/** A range in which both ends are '\0' has all keys (rpc.proto, RangeRequest). */
const allKeys = { key: Buffer.from('\0'), rangeEnd: Buffer.from('\0') };

/** The last recorded revision. An empty etcd has revision 1. */
let recorded = 1;
let leader: string | null = null;
let lost: string | undefined;
/** Keys that are cooling. */
const cooling = new Set<string>();

async function record(): Promise<never> {
  for (let turn = 0; ; turn++) {
    const member = members[turn % members.length];
    if (member !== undefined) await follow(member).catch(() => undefined);
    await sleep(pause);
  }
}

/** Ends when the member goes silent. */
async function follow(member: EtcdMember): Promise<void> {
  const quiet = new AbortController();
  let timer = setTimeout(() => quiet.abort(), silence);
  // Watches all keys: a revision that is not in the record would look like a gap.
  const createRequest = WatchCreateRequest.create({ ...allKeys, startRevision: BigInt(recorded + 1) });
  const request = { requestUnion: { oneofKind: 'createRequest', createRequest } } as const;
  try {
    for await (const message of member.watch(request, quiet.signal)) {
      clearTimeout(timer);
      timer = setTimeout(() => quiet.abort(), silence);
      take(message);
    }
  } finally {
    clearTimeout(timer);
    quiet.abort();
  }
}

function take({ canceled, compactRevision, events }: WatchResponse): void {
  if (canceled) lost = `history before revision ${compactRevision} is gone`;
  const revisions = revisionsOf(events, prefix, now());
  if (revisions.length > 0) appendFileSync(out, revisions.map((one) => `${JSON.stringify(one)}\n`).join(''));
  for (const one of revisions) {
    recorded = one.revision;
    leader = leaderAfter(one, leader);
    for (const key of one.deletes) cooling.delete(key);
    for (const [key, value] of one.puts) {
      if (isClaim(key) && readClaim(value).cooling !== undefined) cooling.add(key);
      else cooling.delete(key);
    }
  }
}

function leaderAfter({ puts, deletes }: Revision, before: string | null): string | null {
  const put = puts.find(([key]) => key === 'leader');
  if (put !== undefined) return leaderOf(put[1]);
  return deletes.includes('leader') ? null : before;
}

/** Resolves when everything that was written before the question is recorded. */
async function caughtUp(): Promise<{ readonly revision: number; readonly lost: string | null }> {
  for (;;) {
    const revision = await revisionNow();
    if (revision !== undefined && recorded >= revision) return { revision: recorded, lost: lost ?? null };
    await sleep(pause);
  }
}

/** The revision by a linearizable read; undefined: no member answers. */
async function revisionNow(): Promise<number | undefined> {
  const request = RangeRequest.create({ ...allKeys, keysOnly: true, limit: 1n });
  for (const member of members) {
    const answer = await member.range(request).catch(() => undefined);
    if (answer?.header !== undefined) return Number(answer.header.revision);
  }
  return undefined;
}

/** Name of the etcd member that says it is the leader; null: none does. */
async function etcdLeader(): Promise<string | null> {
  for (const [i, member] of members.entries()) {
    const status = await member.status().catch(() => undefined);
    if (status !== undefined && status.leader === status.header?.memberId) return `h${i + 1}`;
  }
  return null;
}

void record();
serveLines({
  leaders: async () => ({ manager: leader, etcd: await etcdLeader() }),
  'caught-up': caughtUp,
  cooling: async () => cooling.size,
});
