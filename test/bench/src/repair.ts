import { type Kernel, type NetnsPath, overlayNetns, vxlanName } from '@causeway/datapath';
import { createKernel } from '@causeway/datapath/io';
import type { NetworkId } from '@causeway/model';
import { AgentClient } from './clients.ts';
import { atMost, type Figure, quantiles } from './figure.ts';
import { container, type Host, makeContainers, withLab } from './lab.ts';
import { applyAll } from './overlay.ts';
import { numbers, pause, until } from './work.ts';

/** Another program deletes an FDB entry, and an agent restores it. */
export async function benchRepair(): Promise<Figure[]> {
  return withLab('bench-repair', 2, async ({ hosts }) => {
    const kernel = createKernel();
    try {
      const [first, second] = hosts;
      if (first === undefined || second === undefined) throw new Error('the lab has too few hosts');
      const made = await first.exec([
        'causeway',
        'network',
        'create',
        'blue',
        '--subnet',
        '10.66.0.0/16',
        '-o',
        'json',
      ]);
      const network = (JSON.parse(made) as { readonly id: string }).id;
      for (const host of hosts) await attachMany(host, 10);
      await pause(1000);
      const times = await repairTimes(kernel, first, network, 50);
      return [repairFigure('foreign FDB delete → entry back, by an agent', times)];
    } finally {
      kernel.close();
    }
  });
}

export function repairFigure(what: string, times: readonly number[]): Figure {
  return { what, ours: quantiles(times), beside: 'seen by a monitor outside the host', target: atMost({ p99: 2000 }) };
}

/** Deletes one entry at a time, and waits until it is restored. */
export async function repairTimes(kernel: Kernel, host: Host, network: string, rounds: number): Promise<number[]> {
  const netns = host.path(overlayNetns(network as NetworkId));
  const before = await entries(kernel, netns);
  const victims = [...before].slice(0, rounds);
  const times: number[] = [];
  let changes = 0;
  let lastChange = 0;
  const watch = kernel.watch(netns, () => {
    changes++;
    lastChange = performance.now();
  });
  try {
    for (const round of numbers(rounds)) {
      const [mac, target] = victims[round % victims.length] ?? [];
      if (mac === undefined || target === undefined) throw new Error(`${host.name} has no FDB entry`);
      await pause(300);
      changes = 0;
      const deleted = performance.now();
      await applyAll(kernel, [{ op: 'fdb.delete', netns, dev: vxlanName, mac, target }]);
      // The watch does not report our own delete, so the change that it reports is the agent's.
      await until('the entry is back', 10_000, () => changes >= 1);
      times.push(lastChange - deleted);
    }
  } finally {
    watch?.close();
  }
  const after = await entries(kernel, netns);
  if (after.size !== before.size || [...before].some(([mac, target]) => after.get(mac) !== target)) {
    throw new Error(`the FDB of ${host.name} is not as before`);
  }
  return times;
}

async function entries(kernel: Kernel, netns: NetnsPath) {
  const found = await kernel.read(netns, { links: [vxlanName], sysctls: [] });
  return found?.fdb.get(vxlanName) ?? new Map<never, never>();
}

async function attachMany(host: Host, count: number): Promise<void> {
  await makeContainers(host, count);
  const agent = new AgentClient(host.socket);
  for (const i of numbers(count)) await agent.attach('blue', `${host.name}-${i}`, container(i));
  agent.close();
}
