import { tunnelsOf } from '@causeway/datapath/testing';
import { Ip, type Mac } from '@causeway/model';
import { milliseconds, seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { busyHost } from '../testing/agent-fixture.ts';
import type { Host } from '../testing/host.ts';

/** The entries in the kernel. */
function tunnelEntries(h: Host): ReadonlyMap<Mac, readonly Ip[]> {
  const tunnel = h.kernel.namespaces.get(h.overlay('blue'))?.links.get('vxlan0');
  return tunnel === undefined ? new Map() : tunnelsOf(tunnel);
}

/** The newest revision of network blue that the host has reported as applied in the present session. */
function reportedRevision(h: Host): bigint {
  const { id } = h.manager.networks.get('blue')?.network ?? { id: '' };
  const all = h.manager.requests('applied').flatMap(({ applied }) => applied.networks);
  return all.filter(({ networkId }) => networkId === id).at(-1)?.revision ?? 0n;
}

const revisionOf = (h: Host): bigint => h.manager.networks.get('blue')?.revision ?? 0n;

describe('what the kernel refuses is not said to be applied', () => {
  it.each<[string, (h: Host) => void]>([
    ['of a step', (h) => void h.manager.peer('blue', 202)],
    [
      'of a whole table',
      (h) => {
        h.manager.down = true;
        h.manager.peer('blue', 202);
        h.manager.down = false;
      },
    ],
  ])('%s, and is as soon as the kernel has taken it', async (_, change) => {
    const h = await busyHost();
    expect(reportedRevision(h)).toBe(revisionOf(h));
    h.kernel.failNext('fdb.set', 'ENOBUFS', 8);
    change(h);
    await h.settle(seconds(3));
    expect(h.manager.sessions).toBe(1);
    expect(tunnelEntries(h).size).toBe(2);
    expect(reportedRevision(h)).toBeLessThan(revisionOf(h));
    await h.settle(seconds(60));
    expect(tunnelEntries(h).size).toBe(3);
    expect(reportedRevision(h)).toBe(revisionOf(h));
  });
});

it('a peer whose host has moved stays a peer: it is no difference, and its entry is restored when another process deletes it', async () => {
  const h = await busyHost();
  const row = h.manager.peer('blue', 202);
  await h.settle();
  h.manager.moved('blue', row, '192.0.2.9');
  await h.settle();
  expect(await h.agent.api.verifyHost({ repair: false })).toEqual({ drift: [] });
  expect(tunnelEntries(h).get(row.mac)).toEqual(['192.0.2.9']);
  h.kernel.foreign({
    ...{ op: 'fdb.delete', netns: h.overlay('blue'), dev: 'vxlan0' },
    ...{ mac: row.mac, target: Ip('192.0.2.9') },
  });
  await h.settle(milliseconds(2_000));
  expect(tunnelEntries(h).get(row.mac)).toEqual(['192.0.2.9']);
  expect(tunnelEntries(h).size).toBe(3);
});
