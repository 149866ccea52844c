import type { Kernel } from '@causeway/datapath';
import { createKernel } from '@causeway/datapath/io';
import type { Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import { AgentClient } from './clients.ts';
import { atMost, type Figure, type Limit, median, ms, quantiles } from './figure.ts';
import { type BenchLab, container, type Host, makeContainers, withLab } from './lab.ts';
import { Observer } from './observer.ts';
import { entryOps, withOverlay } from './overlay.ts';
import { benchPings } from './pings.ts';
import { print } from './print.ts';
import { numbers, pause, say, timed, until } from './work.ts';

/**
 * ms. The FDB and neighbour events of an entry come within a millisecond of each other. After this time no more will
 * come.
 */
const quiet = 15;
/** Pause between two attaches, ms, so that the cluster is at rest before each. The burst bench measures many at once. */
const rest = 150;

/** One attach at a time, on each host in turn, while the kernels of all other hosts are watched. */
export async function benchAttach(): Promise<Figure[]> {
  return [...(await attachOn(3, 60)), ...(await attachOn(25, 5)), ...(await benchPings())];
}

async function attachOn(hosts: number, each: number): Promise<Figure[]> {
  return withLab('bench-attach', hosts, async (lab) => {
    const kernel = createKernel();
    const agents = lab.hosts.map((host) => new AgentClient(host.socket));
    try {
      return await measure(lab, kernel, agents, each);
    } finally {
      for (const agent of agents) agent.close();
      kernel.close();
    }
  });
}

async function measure(lab: BenchLab, kernel: Kernel, agents: readonly AgentClient[], each: number): Promise<Figure[]> {
  const { hosts } = lab;
  const prefixes = ['--subnet', '10.66.0.0/16', '--subnet', 'fd66::/64'];
  const made = await hosts[0]?.exec(['causeway', 'network', 'create', 'blue', ...prefixes, '-o', 'json']);
  const network = JSON.parse(made ?? '') as { readonly id: string };
  await Promise.all(hosts.map((host) => makeContainers(host, each + 1)));
  const endpoints: Endpoint[] = [];
  const attach = async (i: number, round: number): Promise<void> => {
    const agent = agents[i];
    if (agent !== undefined) endpoints.push(await agent.attach('blue', `e${i}-${round}`, container(round)));
  };
  const first: number[] = [];
  for (const [i] of hosts.entries()) first.push(await timed(() => attach(i, 0)));

  const observers = hosts.map((host) => new Observer(kernel, host, network.id));
  const calls: number[] = [];
  /** Times until each other host has the endpoint, ms, from the call and from its return; less than 0: before the return. */
  const spreads = { called: [] as number[], returned: [] as number[] };
  for (let round = 1; round <= each; round++) {
    for (const [i] of hosts.entries()) {
      await pause(rest);
      const called = performance.now();
      await attach(i, round);
      const returned = performance.now();
      calls.push(returned - called);
      const arrivals = await spread(observers, i, called);
      spreads.called.push(...arrivals.map((at) => at - called));
      spreads.returned.push(...arrivals.map((at) => at - returned));
    }
  }
  await checkExact(observers, hosts, endpoints);
  for (const observer of observers) observer.close();

  const call = await roundTrip(agents);
  const write = await netlinkWrite(kernel);
  say(`${hosts.length} hosts: ${calls.length} attaches, ${spreads.called.length} arrivals on other hosts, all exact`);
  const floor = { beside: `gRPC call ${print(ms(call))} + netlink write ${print(ms(write))}`, value: call + write };
  const targets = atMost(hosts.length > 3 ? { p50: 30, p99: 150 } : { p50: 10, p99: 50 });
  return [
    row(`attach call, ${hosts.length} hosts`, calls, floor, atMost({ p50: 12 })),
    row(`first attach of a network on a host, ${hosts.length} hosts`, first, floor),
    row(`attach called → programmed on each other host, ${hosts.length} hosts`, spreads.called, floor),
    {
      what: `attach returned → programmed on each other host, ${hosts.length} hosts`,
      ours: quantiles(spreads.returned),
      beside: 'less than 0: before it returned',
      target: targets,
    },
  ];
}

function row(
  what: string,
  times: number[],
  floor: { beside: string; value: number },
  target?: readonly Limit[],
): Figure {
  const ratio = floor.value / median(times);
  return { what, ours: quantiles(times), beside: floor.beside, ratio, ...(target !== undefined && { target }) };
}

/** When the kernel of each other host had the last entry of the endpoint. */
async function spread(observers: readonly Observer[], own: number, since: number): Promise<number[]> {
  const others = observers.filter((_, i) => i !== own);
  await until('an endpoint on all hosts', 10_000, () =>
    others.every(({ lastChange }) => lastChange > since && performance.now() - lastChange > quiet),
  );
  return others.map(({ lastChange }) => lastChange);
}

/** Validates the measured times: at the end every kernel must have exactly the entries of all endpoints. */
async function checkExact(
  observers: readonly Observer[],
  hosts: readonly Host[],
  endpoints: Endpoint[],
): Promise<void> {
  const vteps = new Map(hosts.map(({ name, underlay }) => [name, underlay]));
  for (const observer of observers) {
    if (!(await observer.isExact(endpoints, vteps)))
      throw new Error(`the kernel of ${observer.host.name} is not exact`);
  }
}

/** Lower limit of a call to an agent: the time of a call that only reads a few fields. */
async function roundTrip(agents: readonly AgentClient[]): Promise<number> {
  const times: number[] = [];
  for (const _ of numbers(20)) for (const agent of agents) times.push(await timed(() => agent.status()));
  return median(times);
}

/** Lower limit of an entry: the time of one message to the kernel, from a running process. */
async function netlinkWrite(kernel: Kernel): Promise<number> {
  return withOverlay(kernel, async () => {
    const times: number[] = [];
    for (const i of numbers(200)) times.push(await timed(() => kernel.apply([entryOps.fdb(i).set])));
    return median(times);
  });
}
