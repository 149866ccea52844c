import { fileURLToPath } from 'node:url';
import { type Kernel, overlayNetns, vxlanName } from '@causeway/datapath';
import { createKernel } from '@causeway/datapath/io';
import type { NetworkId } from '@causeway/model';
import { AgentClient } from './clients.ts';
import { atMost, type Figure, mib, ms, seconds, share } from './figure.ts';
import { container, type Host, makeContainers, withLab } from './lab.ts';
import { applyAll, entryOps, withOverlay } from './overlay.ts';
import { print } from './print.ts';
import { cpuDuring, usage } from './proc.ts';
import { repairFigure, repairTimes } from './repair.ts';
import { numbers, pause, say, timed, until } from './work.ts';

const feeder = fileURLToPath(new URL('feeder.js', import.meta.url));
const peers = 20_000;

/** One agent, idle and with 20,000 peers in one network. */
export async function benchAgent(): Promise<Figure[]> {
  return withLab('bench-agent', 1, async ({ hosts }) => {
    const kernel = createKernel();
    try {
      const [host] = hosts;
      if (host === undefined) throw new Error('the lab has no host');
      return await measure(kernel, host);
    } finally {
      kernel.close();
    }
  });
}

async function measure(kernel: Kernel, host: Host): Promise<Figure[]> {
  await pause(3000);
  const idleCpu = await cpuDuring([host.pid], () => pause(10_000));
  const idle = usage(host.pid).rss;

  const made = await host.exec(['causeway', 'network', 'create', 'blue', '--subnet', '10.66.0.0/16', '-o', 'json']);
  const network = (JSON.parse(made) as { readonly id: string }).id;
  await makeContainers(host, 1);
  const feeding = await timed(() => host.exec([process.execPath, feeder, 'blue', String(peers)]));
  say(`${peers} endpoints claimed in ${print(seconds(feeding))}`);

  const agent = new AgentClient(host.socket);
  const called = performance.now();
  const cpu = await cpuDuring([host.pid], () => agent.attach('blue', 'near', container(0)));
  const attached = performance.now() - called;
  agent.close();
  const returned = performance.now();
  // Usually the kernel is complete by now, and reading it takes time too.
  let whole = attached;
  if (!(await isWhole(kernel, host, network))) {
    await until(`${peers} entries in the kernel`, 30_000, () => isWhole(kernel, host, network));
    whole += performance.now() - returned;
  }
  const apply = await withOverlay(kernel, async () => {
    const ops = [
      ...numbers(peers).map((i) => entryOps.fdb(i).set),
      ...numbers(peers).map((i) => entryOps.neighbour(i).set),
    ];
    return timed(() => applyAll(kernel, ops));
  });
  say(`attached in ${print(ms(attached))}, the kernel whole after ${print(ms(whole))}`);

  await pause(3000);
  const fullCpu = await cpuDuring([host.pid], () => pause(30_000));
  const full = usage(host.pid);
  const repairs = await repairTimes(kernel, host, network, 15);
  return [
    { what: 'agent RSS, idle', ours: mib(idle), beside: '', target: atMost(90) },
    { what: 'agent CPU time, idle', ours: share(idleCpu, 10), beside: 'over 10 s', target: atMost(0) },
    {
      what: `first attach to a network of ${peers} endpoints: call → all in the kernel`,
      ours: ms(whole),
      beside: `the same entries by the library alone ${print(ms(apply))}`,
      ratio: apply / whole,
    },
    { what: 'its CPU time', ours: seconds(cpu * 1000), beside: '' },
    {
      what: `agent RSS, ${peers} peers`,
      ours: mib(full.rss),
      beside: `at most ${print(mib(full.peakRss))}`,
      target: atMost(150),
    },
    { what: `agent CPU time, ${peers} peers, nothing happens`, ours: share(fullCpu, 30), beside: 'over 30 s' },
    repairFigure(`foreign FDB delete → entry back, by an agent with ${peers} peers`, repairs),
  ];
}

async function isWhole(kernel: Kernel, host: Host, network: string): Promise<boolean> {
  const found = await kernel.read(host.path(overlayNetns(network as NetworkId)), { links: [vxlanName], sysctls: [] });
  return found?.fdb.get(vxlanName)?.size === peers && found.neighbours.get(vxlanName)?.size === peers;
}
