import {
  type EndpointId,
  type EndpointRow,
  type Name,
  type NetworkId,
  noRows,
  type RequestId,
  type Rows,
  type Stamp,
} from '@causeway/model';
import { milliseconds, seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../disk/sandbox.ts';
import type { Table } from '../tables/table.ts';
import { type GcView, orphanGrace, planGc } from './gc-plan.ts';

const blue = 'b000000000000001' as NetworkId;
const web = 'e000000000000001' as EndpointId;
const at = (epoch: number, revision: number): Stamp => ({ epoch: BigInt(epoch), revision: BigInt(revision) });

function sandbox(claimed: Stamp, refused?: string): Sandbox {
  const endpoint = { id: web, network: blue, name: 'web' as Name } as Sandbox['endpoint'];
  const gateway = { priority: 0, slot: 0 };
  const place = {
    requestId: '' as RequestId,
    netns: '/run/netns/web' as never,
    identity: 'web',
    ifname: 'eth0',
    gateway,
  };
  return { endpoint, claimed, ...place, ...(refused !== undefined && { refused }) };
}

function table(stamp: Stamp, ...ids: EndpointId[]): Table {
  const rows = new Map(ids.map((id) => [id, { id, name: 'web' as Name } as EndpointRow]));
  return {
    ...stamp,
    feed: 1,
    digest: 0n,
    network: { id: blue } as Table['network'],
    rows: { ...(noRows() as Rows), endpoint: rows },
  };
}

const calm: GcView = {
  table: () => undefined,
  ownRows: [],
  sandboxes: [],
  confirmed: at(2, 90),
  withdrawn: new Map(),
  lost: new Set(),
  isUnderWay: () => false,
  orphanedSince: new Map(),
  recovering: false,
  refusedAt: new Map(),
  now: 100_000,
};

/** The plan in words. */
function words(view: Partial<GcView>): string {
  const plan = planGc({ ...calm, ...view });
  const renew = plan.renew.map(({ claimed }) => `renew ${claimed.epoch}/${claimed.revision}`);
  const rest = [
    ...plan.release.map(() => 'release'),
    ...plan.forget.map(() => 'forget'),
    ...plan.reclaim.map(() => 'claim'),
  ];
  return [...renew, ...rest, ...(plan.recovers ? [] : ['not over'])].join(', ');
}

const mine = { sandboxes: [sandbox(at(2, 50))] };
const former = { sandboxes: [sandbox(at(1, 500))] };
const refused = { sandboxes: [sandbox(at(1, 500), 'taken')] };
const orphan = { ownRows: [[web, blue]] as const, table: () => table(at(2, 80), web) };

describe('garbage collection', () => {
  it.each<[string, Partial<GcView>, string]>([
    ['has a row', { ...mine, table: () => table(at(2, 80), web) }, ''],
    ['no session yet', { ...mine, confirmed: undefined }, 'not over'],
    ['released elsewhere', { ...mine, table: () => table(at(2, 80)) }, 'forget'],
    ['the table is older than the claim', { ...mine, confirmed: at(2, 40), table: () => table(at(2, 40)) }, ''],
    ['its network was withdrawn', { ...mine, confirmed: at(2, 40), withdrawn: new Map([[blue, 2n]]) }, 'forget'],
    ['it was withdrawn before the restore', { ...mine, confirmed: at(2, 40), withdrawn: new Map([[blue, 1n]]) }, ''],
    ['its container is dead', { ...mine, lost: new Set([web]), table: () => table(at(2, 80), web) }, 'release'],
  ])('of a sandbox: %s', (_, view, plan) => {
    expect(words(view)).toBe(plan);
  });

  it.each<[string, Partial<GcView>, string]>([
    ['no manager has said anything', { ...former, confirmed: undefined, table: () => table(at(2, 80)) }, 'not over'],
    ['the restored store knows it', { ...former, table: () => table(at(2, 80), web) }, 'renew 2/500'],
    ['it does not', { ...former, table: () => table(at(2, 80)) }, 'claim'],
    ['nor its network', { ...former, withdrawn: new Map([[blue, 2n]]) }, 'claim'],
    ['it is being detached', { ...former, isUnderWay: () => true }, 'not over'],
    ['its container is gone, and no manager knows the endpoint', { ...former, lost: new Set([web]) }, 'forget'],
    ['refused a while ago', { ...refused, refusedAt: new Map([[web, 90_000]]) }, ''],
    ['refused long ago', { ...refused, refusedAt: new Map([[web, 70_000]]) }, 'claim'],
    ['refused, and known by another backup', { ...refused, table: () => table(at(2, 80), web) }, 'renew 2/500'],
  ])('of a sandbox of an earlier epoch: %s', (_, view, plan) => {
    expect(words(view)).toBe(plan);
  });

  it.each<[string, Partial<GcView>, string, number | undefined]>([
    ['seen just now', orphan, '', orphanGrace],
    ['for long enough', { ...orphan, orphanedSince: new Map([[web, 100_000 - orphanGrace]]) }, 'release', seconds(1)],
    ['while an attach is at work', { ...orphan, isUnderWay: () => true }, '', undefined],
    ['that a restored store has brought back', { ...orphan, recovering: true }, 'release', seconds(1)],
  ])('of a claim without sandbox: %s', (_, view, plan, again) => {
    expect(words(view)).toBe(plan);
    expect(planGc({ ...calm, ...view }).again).toBe(again === undefined ? undefined : milliseconds(again));
  });

  it('drops why it was refused when it is not any more', () => {
    const { renew } = planGc({ ...calm, ...refused, table: () => table(at(2, 80), web) });
    expect(renew).toEqual([sandbox(at(2, 500))]);
  });
});
