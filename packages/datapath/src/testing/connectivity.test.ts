import { addressOf, type EndpointRow, Ip, Prefix } from '@causeway/model';
import { FakeClock } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { applyPlan, readState } from '../apply.ts';
import { buildNetwork } from '../drivers/build.ts';
import type { NetworkOnHost } from '../drivers/driver.ts';
import { hostEnd, overlayNetns } from '../drivers/overlay-names.ts';
import { plan } from '../plan.ts';
import { connectivity } from './connectivity.ts';
import { FakeKernel } from './fake-kernel.ts';
import { blue, containerPath, endpointId, nodeId, onHost, row, vtep } from './fixtures.ts';

const netns = overlayNetns(blue.id);
const subnets = [...blue.subnets, { prefix: Prefix('10.77.0.0/24'), gateway: Ip('10.77.0.1') }];
const network = { ...blue, subnets };
/** Two on host 1, one on host 2, one on host 3 in a subnet of its own. */
const rows = [row(2, 1), row(3, 1), row(4, 2), row(5, 3, ['10.77.0.5/24'])];

describe('connectivity between fake kernels', () => {
  it('reaches every endpoint from every other, each family, across subnets by the gateway', async () => {
    const kernels = await cluster();
    for (const from of rows)
      for (const to of rows) for (const address of commonAddresses(from, to)) expectReached(kernels, from, address);
  });

  it('goes through the tunnel, and says by which way', async () => {
    const kernels = await cluster();
    const path = ['eth0', 'br0', 'vxlan0', vtep(2), 'vxlan0', 'br0', 'eth0'];
    const back = path.map((each) => (each === vtep(2) ? vtep(1) : each));
    expect(ping(kernels, row(2, 1), Ip('fd66::4'))).toEqual({ delivered: true, path: [...path, ...back] });
  });

  const breaks: readonly { name: string; break: (kernels: readonly FakeKernel[]) => void }[] = [
    {
      name: 'no FDB entry',
      break: ([host]) => host?.foreign({ op: 'fdb.delete', netns, dev: 'vxlan0', mac: row(4, 2).mac, target: vtep(2) }),
    },
    { name: 'no neighbour', break: ([host]) => host?.foreignNeighbourFlush(netns, 'vxlan0') },
    {
      name: 'vxlan0 down at the other side',
      break: ([, host]) => host?.foreign({ op: 'link.set', netns, name: 'vxlan0', change: { up: false } }),
    },
    {
      name: 'no port entry for the answer',
      break: ([host]) =>
        host?.foreign({ op: 'fdb.delete', netns, dev: hostEnd(endpointId(2)), mac: row(2, 1).mac, target: 'port' }),
    },
    {
      name: "the container's end down",
      break: ([, host]) =>
        host?.foreign({ op: 'link.set', netns: containerPath(4), name: 'eth0', change: { up: false } }),
    },
    { name: "the other host's namespace deleted", break: ([, host]) => host?.foreign({ op: 'netns.delete', netns }) },
  ];
  for (const broken of breaks) {
    it(`loses the ping: ${broken.name}`, async () => {
      const kernels = await cluster();
      expectReached(kernels, row(2, 1), Ip('10.66.0.4'));
      broken.break(kernels);
      expect(ping(kernels, row(2, 1), Ip('10.66.0.4')).delivered).toBe(false);
    });
  }

  it('does not reach an address that no container has', async () => {
    expect(ping(await cluster(), row(2, 1), Ip('10.66.0.99')).delivered).toBe(false);
  });

  it('does not cross subnets where forwarding is off', async () => {
    const kernels = await cluster();
    kernels[0]?.foreign({ op: 'sysctl.set', netns, key: 'net.ipv4.ip_forward', value: '0' });
    expect(ping(kernels, row(2, 1), Ip('10.77.0.5')).delivered).toBe(false);
  });
});

async function cluster(): Promise<readonly FakeKernel[]> {
  return await Promise.all([1, 2, 3].map(host));
}

async function host(number: number): Promise<FakeKernel> {
  const kernel = new FakeKernel({ clock: new FakeClock() }, { underlay: vtep(number) });
  const input: NetworkOnHost = onHost(rows, { network, node: nodeId(number), vtep: vtep(number) });
  for (const { netns: path } of input.sandboxes) kernel.foreignNetns(path);
  const desired = buildNetwork(input);
  expect(await applyPlan(kernel, plan(await readState(kernel, desired), desired))).toEqual([]);
  return kernel;
}

function expectReached(kernels: readonly FakeKernel[], from: EndpointRow, to: Ip): void {
  expect(ping(kernels, from, to), `${from.name} → ${to}`).toMatchObject({ delivered: true });
}

function ping(kernels: readonly FakeKernel[], from: EndpointRow, to: Ip) {
  const kernel = kernels[Number.parseInt(from.node, 16) - 1];
  if (kernel === undefined) throw new TypeError(`no host ${from.node}`);
  const number = Number.parseInt(from.id.slice(0, 8), 16);
  return connectivity(kernels, { kernel, netns: containerPath(number) }, to);
}

/** Addresses of `to` in families that `from` has as well. */
function commonAddresses(from: EndpointRow, to: EndpointRow): Ip[] {
  const isV6 = (address: string): boolean => address.includes(':');
  return to.addresses
    .filter((address) => from.addresses.some((own) => isV6(own) === isV6(address)))
    .map((address) => addressOf(address));
}
