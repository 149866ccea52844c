import { HostReport } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { expect, test } from 'vitest';
import { nodeId } from '../testing/view-script.ts';
import { Hosts } from './hosts.ts';

const [h1, h2] = [nodeId(1), nodeId(2)];
const at = (time: number) => ({ revision: BigInt(time), time });
const report = (drift: number) => HostReport.create({ drift, repairs: 4n });

test('drift has a time: when the first difference appeared, and when the last one was removed', () => {
  const hosts = new Hosts();
  const since = [
    [0, 1],
    [2, 2],
    [1, 3],
    [0, 4],
    [0, 5],
    [1, 6],
  ].map(([drift = 0, time = 0]) => {
    hosts.reported(h1, report(drift), at(time));
    return hosts.of(h1).driftSince.time;
  });
  expect(since).toEqual([undefined, 2, 2, 4, 4, 6]);
});

test('a host that has not reported has no drift; reports are forgotten with the host, and with the term', () => {
  const hosts = new Hosts();
  for (const node of [h1, h2]) hosts.reported(node, report(1), at(1));
  hosts.forget(h1);
  expect([hosts.of(h1), hosts.of(h2)]).toMatchObject([
    { drift: 0, recovered: false },
    { drift: 1, repairs: 4n },
  ]);
  hosts.reset();
  expect(hosts.of(h2).drift).toBe(0);
});
