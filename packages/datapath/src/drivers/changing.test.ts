import { encryptedVxlanPort, Ip, type Network } from '@causeway/model';
import { FakeClock } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { applyPlan, readState } from '../apply.ts';
import { plan } from '../plan.ts';
import { connectivity } from '../testing/connectivity.ts';
import { FakeKernel } from '../testing/fake-kernel.ts';
import { blue, containerPath, nodeId, onHost, row, vtep } from '../testing/fixtures.ts';
import { buildNetwork } from './build.ts';
import { overlayNetns } from './overlay-names.ts';

type DriverName = Network['driver'];

/** In the order in which a network comes to be encrypted. */
const drivers = ['overlay', 'dual-overlay', 'dual-encrypted-overlay', 'encrypted-overlay'] as const;
const rows = [row(2, 1), row(3, 2)];

class TestHost {
  readonly kernel: FakeKernel;
  readonly #number: number;

  constructor(number: number) {
    this.#number = number;
    this.kernel = new FakeKernel({ clock: new FakeClock() }, { underlay: vtep(number) });
    this.kernel.foreignNetns(containerPath(number + 1));
  }

  /** Takes the driver. Calls `between` after each op. */
  async take(driver: DriverName, between: () => void = () => undefined): Promise<void> {
    const network = { ...blue, driver } as Network;
    const desired = buildNetwork(onHost(rows, { network, node: nodeId(this.#number), vtep: vtep(this.#number) }));
    for (const op of plan(await readState(this.kernel, desired), desired)) {
      expect(await applyPlan(this.kernel, [op])).toEqual([]);
      between();
    }
  }

  tunnels(): string[] {
    const links = this.kernel.namespaces.get(overlayNetns(blue.id))?.links.values() ?? [];
    return [...links].flatMap(({ link }) => {
      if (link.kind !== 'vxlan') return [];
      return `${link.name} ${link.port}${link.bridgePort?.flood === true ? ' sends' : ''}`;
    });
  }
}

describe('a network of two hosts that changes its driver', () => {
  const ways = drivers.flatMap((from, i): [DriverName, DriverName][] => {
    const next = drivers[i + 1];
    return next === undefined
      ? []
      : [
          [from, next],
          [next, from],
        ];
  });

  it.each(ways)('from %s to %s reaches both all the time, whichever host is first', async (from, to) => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const hosts = [new TestHost(1), new TestHost(2)];
      const kernels = hosts.map(({ kernel }) => kernel);
      const ping = (): void => {
        for (const [i, kernel] of kernels.entries()) {
          const to = Ip(`10.66.0.${3 - i}`);
          expect(connectivity(kernels, { kernel, netns: containerPath(i + 2) }, to)).toMatchObject({ delivered: true });
        }
      };
      for (const host of hosts) await host.take(from);
      ping();
      for (const index of order) await hosts[index]?.take(to, ping);
    }
  });

  it('has these tunnels on each host', async () => {
    const host = new TestHost(1);
    const seen: [DriverName, string[]][] = [];
    for (const driver of drivers) {
      await host.take(driver);
      seen.push([driver, host.tunnels()]);
    }
    const [plain, esp] = ['vxlan0 4789', `vxlan1 ${encryptedVxlanPort}`];
    expect(seen).toEqual([
      ['overlay', [`${plain} sends`]],
      ['dual-overlay', [`${plain} sends`, esp]],
      ['dual-encrypted-overlay', [plain, `${esp} sends`]],
      ['encrypted-overlay', [`${esp} sends`]],
    ]);
  });

  it('makes nothing anew when a host skips no step, and the same in any step after a restart', async () => {
    const host = new TestHost(1);
    for (const driver of drivers) {
      await host.take(driver);
      let ops = 0;
      await host.take(driver, () => ops++);
      expect(ops).toBe(0);
    }
  });
});
