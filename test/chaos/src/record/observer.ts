import { appendFileSync } from 'node:fs';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { serveLines } from '../companion/serve.ts';
import { now } from '../now.ts';
import { EtcdHttp } from './etcd-http.ts';
import { isClaim, leaderOf, readClaim } from './records.ts';
import { encode, type Revision, revisionsOf, type WatchMessage } from './revision.ts';

/**
 * A process in the lab that records every revision of the store, one JSON line each, and answers on stdin who leads. It uses
 * etcd's JSON gateway, so that a defect of our own store client cannot hide a defect of the store.
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
const members = (values.etcd ?? '').split(',');
const http = new EtcdHttp(values.identity);

/** The last recorded revision. An empty etcd has revision 1. */
let recorded = 1;
let leader: string | null = null;
let lost: string | undefined;
/** Keys that are cooling. */
const cooling = new Set<string>();

async function record(): Promise<never> {
  for (let turn = 0; ; turn++) {
    const member = members[turn % members.length] ?? '';
    await follow(member).catch(() => undefined);
    await sleep(pause);
  }
}

/** Ends when the member goes silent. */
async function follow(member: string): Promise<void> {
  const quiet = new AbortController();
  let timer = setTimeout(() => quiet.abort(), silence);
  // Watches all keys: a revision that is not in the record would look like a gap.
  const create = { key: encode('\0'), range_end: encode('\0'), start_revision: `${recorded + 1}` };
  const body = await http.post(`${member}/v3/watch`, { create_request: create }, quiet.signal);
  let rest = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of body) {
      clearTimeout(timer);
      timer = setTimeout(() => quiet.abort(), silence);
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(JSON.parse(line) as WatchMessage);
    }
  } finally {
    clearTimeout(timer);
    quiet.abort();
  }
}

function take({ result }: WatchMessage): void {
  if (result?.canceled === true) lost = `history before revision ${result.compact_revision} is gone`;
  const revisions = revisionsOf(result?.events ?? [], prefix, now());
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

interface MemberStatus {
  readonly leader: string;
  readonly header: { readonly member_id: string };
}

/** Resolves when everything that was written before the question is recorded. */
async function caughtUp(): Promise<{ readonly revision: number; readonly lost: string | null }> {
  for (;;) {
    // A linearizable read.
    const range = { key: encode(prefix), keys_only: true };
    const answer = await ask<{ readonly header: { readonly revision: string } }>('/v3/kv/range', range);
    if (recorded >= Number(answer?.header.revision ?? 'NaN')) return { revision: recorded, lost: lost ?? null };
    await sleep(pause);
  }
}

/** Name of the etcd member that says it is the leader; null: none does. */
async function etcdLeader(): Promise<string | null> {
  for (const [i, member] of members.entries()) {
    const status = await post<MemberStatus>(member, '/v3/maintenance/status', {}).catch(() => undefined);
    if (status !== undefined && status.leader === status.header.member_id) return `h${i + 1}`;
  }
  return null;
}

async function ask<Answer>(path: string, request: object): Promise<Answer | undefined> {
  for (const member of members) {
    const answer = await post<Answer>(member, path, request).catch(() => undefined);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

async function post<Answer>(member: string, path: string, request: object): Promise<Answer> {
  const body = await http.post(`${member}${path}`, request, AbortSignal.timeout(1_000));
  return (await json(body)) as Answer;
}

void record();
serveLines({
  leaders: async () => ({ manager: leader, etcd: await etcdLeader() }),
  'caught-up': caughtUp,
  cooling: async () => cooling.size,
});
