import type { EndpointId, NetworkId } from '@causeway/model';
import type { ConnectRequest } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { Drift, HostHealth } from '@causeway/proto/gen/causeway/v1/types.js';
import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { beforeEach, expect, it } from 'vitest';
import { HostStats } from '../reconcile/host-stats.ts';
import { Reporter } from './reporter.ts';

const [blue, green] = ['b10e000000000001', '69ee000000000001'] as NetworkId[] as [NetworkId, NetworkId];
const health = HostHealth.create({ failedOps: { EBUSY: 1n } });

let clock: FakeClock;
let stats: HostStats;
let reporter: Reporter;
let mtu: number;
let epoch: bigint | undefined;
let sent: ConnectRequest['message'][];

beforeEach(() => {
  clock = new FakeClock();
  stats = new HostStats();
  mtu = 1_500;
  epoch = 1n;
  sent = [];
  reporter = new Reporter({
    clock,
    stats,
    underlayMtu: () => mtu,
    health: () => health,
    epoch: () => epoch,
    send: ({ message }) => void sent.push(message),
  });
  stats.onChange(() => reporter.poke());
});

/** What was sent since the last call. */
async function said(): Promise<ConnectRequest['message'][]> {
  await clock.advance(milliseconds(50));
  return sent.splice(0);
}

/** After the first report of the host, which follows the first poke. */
async function greeted(): Promise<void> {
  reporter.poke();
  expect(await said()).toMatchObject([{ oneofKind: 'report' }]);
}

const applied = (...networks: [NetworkId, bigint][]) => ({
  oneofKind: 'applied',
  applied: { networks: networks.map(([networkId, revision]) => ({ networkId, revision })), withdrawnIds: [] },
});

it('an applied revision is reported once; those of a burst together', async () => {
  await greeted();
  stats.reached(blue, { epoch: 1n, revision: 5n });
  expect(await said()).toEqual([applied([blue, 5n])]);
  reporter.poke();
  expect(await said()).toEqual([]);
  stats.reached(blue, { epoch: 1n, revision: 6n });
  await clock.advance(milliseconds(0));
  sent.splice(0);
  stats.reached(blue, { epoch: 1n, revision: 7n });
  stats.reached(green, { epoch: 1n, revision: 7n });
  await clock.advance(milliseconds(49));
  expect(sent).toEqual([]);
  await clock.advance(milliseconds(1));
  expect(await said()).toEqual([applied([blue, 7n], [green, 7n])]);
});

it('a revision of another epoch is kept from the manager until its epoch is the session’s', async () => {
  await greeted();
  stats.reached(blue, { epoch: 2n, revision: 5n });
  expect(await said()).toEqual([]);
  epoch = 2n;
  reporter.poke();
  expect(await said()).toEqual([applied([blue, 5n])]);
});

it('a removed network is reported, and its revision anew when it comes back', async () => {
  await greeted();
  stats.reached(blue, { epoch: 1n, revision: 5n });
  await said();
  stats.forget(blue);
  expect(await said()).toEqual([{ oneofKind: 'applied', applied: { networks: [], withdrawnIds: [blue] } }]);
  stats.reached(blue, { epoch: 1n, revision: 5n });
  expect(await said()).toEqual([applied([blue, 5n])]);
});

it.each<[string, () => void, object]>([
  ['repairs', () => stats.repaired([Drift.create({ key: 'a' })]), { repairs: 1n, repaired: [{ key: 'a' }] }],
  ['a standing difference', () => stats.unresolved(blue, 2), { drift: 2, networkDrift: { [blue]: 2 } }],
  [
    'another underlay',
    () => {
      mtu = 9_000;
    },
    { underlayMtu: 9_000 },
  ],
  ['the end of a recovery', () => stats.recover(1n), { recovered: true }],
])('%s: the host reports soon, once', async (_, change, report) => {
  await greeted();
  change();
  reporter.poke();
  expect(await said()).toMatchObject([{ oneofKind: 'report', report }]);
  reporter.poke();
  expect(await said()).toEqual([]);
});

it('a recovery of another epoch is none for this manager', async () => {
  stats.recover(2n);
  expect(await said()).toMatchObject([{ report: { recovered: false } }]);
  epoch = undefined;
  reporter.poke();
  expect(await said()).toEqual([]);
});

it('the heartbeat reports the host, with what was not reported yet', async () => {
  await greeted();
  const stop = new AbortController();
  const beating = reporter.beat(seconds(2), stop.signal);
  expect(await said()).toMatchObject([{ report: { repairs: 0n, keptIds: [], health } }]);
  await clock.advance(milliseconds(1_900));
  expect(sent).toEqual([]);
  await clock.advance(milliseconds(100));
  expect(sent).toHaveLength(1);
  stats.kept('e000000000000001' as EndpointId);
  await clock.advance(seconds(2));
  expect(sent.at(-1)).toMatchObject({ report: { keptIds: ['e000000000000001'] } });
  stop.abort();
  await clock.until(beating, seconds(1));
  sent.splice(0);
  await clock.advance(seconds(10));
  expect(sent).toEqual([]);
});
