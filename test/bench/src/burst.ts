import type { Kernel } from '@causeway/datapath';
import { createKernel } from '@causeway/datapath/io';
import type { Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import { AgentClient } from './clients.ts';
import { atMost, type Figure, mib, quantiles, seconds } from './figure.ts';
import { type BenchLab, container, makeContainers, withLab } from './lab.ts';
import { Observer } from './observer.ts';
import { print } from './print.ts';
import { cpuOf, usage } from './proc.ts';
import { inParallel, numbers, pause, say, until } from './work.ts';

const hosts = 25;
const endpointsEach = 80;
/** Concurrent calls at one agent: as many containers as a host starts at the same time. */
const callsEach = 8;
/** ms without a change after which a host's kernel is read. The time of the last change is the result. */
const quiet = 100;

/** 2,000 endpoints of one network on 25 hosts, as fast as the agents accept them. */
export async function benchBurst(): Promise<Figure[]> {
  return withLab('bench-burst', hosts, async (lab) => {
    const kernel = createKernel();
    const agents = lab.hosts.map((host) => new AgentClient(host.socket));
    try {
      return await measure(lab, kernel, agents);
    } finally {
      for (const agent of agents) agent.close();
      kernel.close();
    }
  });
}

async function measure(lab: BenchLab, kernel: Kernel, agents: readonly AgentClient[]): Promise<Figure[]> {
  const made = await lab.hosts[0]?.exec([
    'causeway',
    'network',
    'create',
    'blue',
    '--subnet',
    '10.66.0.0/16',
    '-o',
    'json',
  ]);
  const network = JSON.parse(made ?? '') as { readonly id: string };
  for (const host of lab.hosts) await makeContainers(host, endpointsEach);
  say(`${hosts * endpointsEach} namespaces made`);

  const endpoints: Endpoint[] = [];
  const calls: number[] = [];
  const attach = async (host: number, i: number): Promise<void> => {
    const called = performance.now();
    const made = await agents[host]?.attach('blue', `e${host}-${i}`, container(i));
    calls.push(performance.now() - called);
    if (made !== undefined) endpoints.push(made);
  };
  const pids = { manager: [lab.manager], etcd: [lab.etcd], agents: lab.hosts.map(({ pid }) => pid) };
  const all = [...pids.manager, ...pids.etcd, ...pids.agents];
  // A host's first endpoint makes the namespace in which its kernel is watched.
  await Promise.all(numbers(hosts).map((host) => attach(host, 0)));
  const observers = lab.hosts.map((host) => new Observer(kernel, host, network.id));
  await pause(1000);

  const cpuBefore = new Map(all.map((pid) => [pid, cpuOf([pid])]));
  const cpu = (of: readonly number[]): number =>
    of.reduce((sum, pid) => sum + cpuOf([pid]) - (cpuBefore.get(pid) ?? 0), 0);
  const jobs = numbers(endpointsEach).slice(1);
  const called = performance.now();
  calls.length = 0;
  await Promise.all(numbers(hosts).map((host) => inParallel(callsEach, jobs, (i) => attach(host, i))));
  const returned = performance.now();
  say(`${calls.length} attaches in ${print(seconds(returned - called))}`);
  const exact = await exactEverywhere(observers, lab, endpoints);
  for (const observer of observers) observer.close();

  const agentPeaks = pids.agents.map((pid) => usage(pid).peakRss);
  return [
    {
      what: `burst of ${calls.length} endpoints over ${hosts} hosts: last call's return → exact on every host`,
      // Less than 0: the kernels were exact before the last call returned.
      ours: seconds(exact - returned),
      beside: `the calls themselves took ${print(seconds(returned - called))}`,
      target: atMost(5),
    },
    {
      what: 'burst: attach call',
      ours: quantiles(calls),
      beside: `${(calls.length / ((returned - called) / 1000)).toFixed(0)} attaches/s, ${callsEach} at once per host`,
    },
    {
      what: 'burst: CPU time, manager',
      ours: seconds(cpu(pids.manager) * 1000),
      beside: `etcd ${cpu(pids.etcd).toFixed(1)} s, ${hosts} agents together ${cpu(pids.agents).toFixed(1)} s`,
    },
    {
      what: 'burst: RSS at most, manager',
      ours: mib(usage(lab.manager).peakRss),
      beside: `etcd ${print(mib(usage(lab.etcd).peakRss))}, largest agent ${print(mib(Math.max(...agentPeaks)))}`,
    },
  ];
}

/** When the last kernel had exactly what it should have. */
async function exactEverywhere(
  observers: readonly Observer[],
  lab: BenchLab,
  endpoints: readonly Endpoint[],
): Promise<number> {
  const vteps = new Map(lab.hosts.map(({ name, underlay }) => [name, underlay]));
  const waiting = new Set(observers);
  await until('exact on every host', 60_000, async () => {
    for (const observer of waiting) {
      if (performance.now() - observer.lastChange < quiet) continue;
      if (await observer.isExact(endpoints, vteps)) waiting.delete(observer);
    }
    return waiting.size === 0;
  });
  return Math.max(...observers.map(({ lastChange }) => lastChange));
}
