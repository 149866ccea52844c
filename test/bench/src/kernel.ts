import { spawnSync } from 'node:child_process';
import type { Kernel, NetnsPath, Op } from '@causeway/datapath';
import { createKernel } from '@causeway/datapath/io';
import { Ip as asIp, InterfaceAddress, Mac, Prefix } from '@causeway/model';
import { atLeast, atMost, type Figure, type Limit, median, ms, quantiles } from './figure.ts';
import { address, applyAll, destroy, entryOps, mac, netns, netnsName, remake, vtep, withOverlay } from './overlay.ts';
import { print } from './print.ts';
import { numbers, timed } from './work.ts';

const entries = 20_000;
const rounds = 5;

/**
 * Entries, networks and endpoints programmed by us and by iproute2, in turns on one device. The time of iproute2
 * includes the start of its process, as in any script. The time to build the ops (ours) and the text (iproute2's) is
 * not measured.
 */
export async function benchKernel(): Promise<Figure[]> {
  const kernel = createKernel();
  try {
    return await withOverlay(kernel, async () => [
      ...(await benchEntries(kernel)),
      await benchRepair(kernel),
      ...(await benchObjects(kernel)),
    ]);
  } finally {
    kernel.close();
  }
}

interface Baseline {
  readonly command: 'bridge' | 'ip';
  readonly line: (i: number, verb: 'replace' | 'del') => string;
  readonly show: readonly string[];
}

async function benchEntries(kernel: Kernel): Promise<Figure[]> {
  const fdb: Baseline = {
    command: 'bridge',
    line: (i, verb) => `fdb ${verb} ${mac(i)} dev vxlan0 dst ${vtep(i)} self${verb === 'replace' ? ' permanent' : ''}`,
    show: ['fdb', 'show', 'dev', 'vxlan0'],
  };
  const neighbour: Baseline = {
    command: 'ip',
    line: (i, verb) =>
      `neigh ${verb} ${address(i)}${verb === 'replace' ? ` lladdr ${mac(i)}` : ''} dev vxlan0${verb === 'replace' ? ' nud permanent' : ''}`,
    show: ['neigh', 'show', 'dev', 'vxlan0'],
  };
  return [
    ...(await benchTable(kernel, 'FDB', opsOf(entryOps.fdb), fdb)),
    ...(await benchTable(kernel, 'neighbour', opsOf(entryOps.neighbour), neighbour)),
  ];
}

interface TableOps {
  readonly set: readonly Op[];
  readonly clear: readonly Op[];
}

function opsOf(make: (i: number) => { readonly set: Op; readonly clear: Op }): TableOps {
  const pairs = numbers(entries).map(make);
  return { set: pairs.map(({ set }) => set), clear: pairs.map(({ clear }) => clear) };
}

async function benchTable(kernel: Kernel, what: string, ops: TableOps, baseline: Baseline): Promise<Figure[]> {
  const adds = numbers(entries)
    .map((i) => baseline.line(i, 'replace'))
    .join('\n');
  const deletes = numbers(entries)
    .map((i) => baseline.line(i, 'del'))
    .join('\n');
  const ours = { add: [] as number[], dump: [] as number[], delete: [] as number[] };
  const theirs = { add: [] as number[], dump: [] as number[], delete: [] as number[] };
  const stalls: number[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.add.push(await timed(() => watchStalls(stalls, () => applyAll(kernel, ops.set))));
    ours.dump.push(await timed(() => watchStalls(stalls, () => kernel.read(netns, { sysctls: [] }))));
    ours.delete.push(await timed(() => watchStalls(stalls, () => applyAll(kernel, ops.clear))));
    theirs.add.push(await timed(() => iproute(baseline.command, ['-batch', '-'], adds)));
    theirs.dump.push(await timed(() => iproute(baseline.command, baseline.show)));
    theirs.delete.push(await timed(() => iproute(baseline.command, ['-batch', '-'], deletes)));
  }
  const row = (step: 'add' | 'dump' | 'delete', beside: string, target?: readonly Limit[]): Figure => ({
    what: `${entries} ${what} entries, ${step}`,
    ours: ms(median(ours[step])),
    beside: `${beside} ${print(ms(median(theirs[step])))}`,
    ratio: median(theirs[step]) / median(ours[step]),
    ...(target === undefined ? {} : { target }),
  });
  return [
    row('add', `${baseline.command} -batch`, atLeast(1, 'ratio')),
    row('dump', `${baseline.command} ${baseline.show[0]} show`),
    row('delete', `${baseline.command} -batch`),
    {
      what: `longest stall of the event loop, ${what}, in CPU time`,
      ours: ms(Math.max(...stalls)),
      beside: print(quantiles(stalls)),
      target: atMost(5),
    },
  ];
}

/**
 * Another process deletes an entry, and the callback of the watch sets it again: the time of the transport alone. Nothing
 * is read or planned, as an agent would do before a repair; "npm run bench -- repair" measures that.
 */
async function benchRepair(kernel: Kernel): Promise<Figure> {
  const { set, clear } = entryOps.fdb(1);
  await applyAll(kernel, [set]);
  const foreign = createKernel();
  const times: number[] = [];
  try {
    for (let i = 0; i < 200; i++) {
      let repaired: () => void = () => undefined;
      const done = new Promise<void>((resolve) => {
        repaired = resolve;
      });
      const watch = kernel.watch(netns, () => {
        watch?.close();
        void kernel.apply([set]).then(repaired);
      });
      times.push(
        await timed(async () => {
          await foreign.apply([clear]);
          await done;
        }),
      );
    }
  } finally {
    foreign.close();
  }
  return {
    what: 'FDB entry deleted by another process → notification received and entry rewritten',
    ours: quantiles(times),
    beside: 'the time includes the deletion; no read, no plan',
    target: atMost({ p99: 5 }),
  };
}

/** A network (namespace, bridge, vxlan, address) and an endpoint (veth, address, route) made and removed. */
async function benchObjects(kernel: Kernel): Promise<Figure[]> {
  const ours: number[] = [];
  const theirs: number[] = [];
  const ourEndpoints: number[] = [];
  const theirEndpoints: number[] = [];
  const container = '/run/netns/cw-bench-c' as NetnsPath;
  for (let round = 0; round < 20; round++) {
    await destroy(kernel);
    ours.push(await timed(() => remake(kernel)));
    await applyAll(kernel, [{ op: 'netns.add', netns: container }]);
    ourEndpoints.push(await timed(() => applyAll(kernel, endpointOps(container))));
    await applyAll(kernel, [{ op: 'netns.delete', netns: container }]);
    await destroy(kernel);
    theirs.push(await timed(() => makeNetworkByIp()));
    ip(['netns', 'add', 'cw-bench-c']);
    theirEndpoints.push(await timed(() => makeEndpointByIp()));
    await applyAll(kernel, [{ op: 'netns.delete', netns: container }]);
  }
  await destroy(kernel);
  await remake(kernel);
  return [
    {
      what: 'network: namespace, bridge, vxlan',
      ours: ms(median(ours)),
      beside: `ip -batch ${print(ms(median(theirs)))}`,
      ratio: median(theirs) / median(ours),
    },
    {
      what: 'endpoint: veth into a container, address, route',
      ours: ms(median(ourEndpoints)),
      beside: `ip -batch ${print(ms(median(theirEndpoints)))}`,
      ratio: median(theirEndpoints) / median(ourEndpoints),
      target: atMost(3),
    },
  ];
}

function endpointOps(container: NetnsPath): Op[] {
  const peer = { netns: container, name: 'eth0', mac: mac(2), mtu: 1450 };
  return [
    {
      op: 'link.add',
      netns,
      link: {
        kind: 'veth',
        name: 'v1',
        mac: Mac('02:00:00:00:00:09'),
        mtu: 1450,
        up: true,
        bridgePort: { master: 'br0', learning: false, flood: false },
        peer,
      },
    },
    { op: 'link.set', netns: container, name: 'eth0', change: { up: true } },
    { op: 'address.add', netns: container, dev: 'eth0', address: InterfaceAddress('10.0.0.2/16') },
    {
      op: 'route.set',
      netns: container,
      route: { dst: Prefix('0.0.0.0/0'), gateway: asIp('10.0.0.1'), dev: 'eth0', metric: 0 },
    },
  ];
}

/**
 * Needs at least two processes, because the links inside the namespace must be named from inside. The device is made in
 * place, like ours.
 */
function makeNetworkByIp(): void {
  ip(
    ['-batch', '-'],
    [
      `netns add ${netnsName}`,
      `link add vxlan0 netns ${netnsName} type vxlan id 77 dstport 4790 local 127.0.0.1 nolearning proxy`,
    ].join('\n'),
  );
  ip(
    ['-n', netnsName, '-batch', '-'],
    [
      'link add br0 type bridge',
      'link set br0 address 02:42:0a:00:00:01 mtu 1450 up',
      'link set vxlan0 address 02:42:0a:00:00:02 mtu 1450 master br0 up',
    ].join('\n'),
  );
}

function makeEndpointByIp(): void {
  ip(
    ['-n', netnsName, '-batch', '-'],
    [
      `link add v1 mtu 1450 type veth peer name eth0 mtu 1450 address ${mac(2)} netns cw-bench-c`,
      'link set v1 master br0 up',
    ].join('\n'),
  );
  ip(
    ['-n', 'cw-bench-c', '-batch', '-'],
    ['link set eth0 up', 'addr add 10.0.0.2/16 dev eth0', 'route add default via 10.0.0.1'].join('\n'),
  );
}

function ip(args: readonly string[], input?: string): void {
  run('ip', args, input);
}

/** Runs iproute2 in the bench's namespace. */
function iproute(command: string, args: readonly string[], input?: string): void {
  run(command, ['-n', netnsName, ...args], input);
}

function run(command: string, args: readonly string[], input = ''): void {
  const result = spawnSync(command, args, { input, maxBuffer: 1 << 28 });
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stderr}`);
}

/**
 * Records how long each turn of the event loop waited for the turn before, while the work runs. Counts only the part of this
 * time in which this process had a CPU. In the rest other processes ran, which says nothing about our code.
 */
async function watchStalls(stalls: number[], work: () => Promise<unknown>): Promise<void> {
  let last = performance.now();
  let used = process.cpuUsage();
  const turn = (): void => {
    const now = performance.now();
    const { user, system } = process.cpuUsage(used);
    stalls.push(Math.min(now - last, (user + system) / 1000));
    last = now;
    used = process.cpuUsage();
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  await work();
  // Later turns do not belong to the work.
  clearImmediate(next);
}
