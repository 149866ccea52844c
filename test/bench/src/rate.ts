import { AgentClient } from './clients.ts';
import { atLeast, atMost, type Figure, median, ms, perSecond } from './figure.ts';
import { type BenchLab, container, makeContainers, withLab } from './lab.ts';
import { print } from './print.ts';
import { type Usage, usage } from './proc.ts';
import { inParallel, numbers, pause, say } from './work.ts';

/** Concurrent calls at one agent: as many containers as a host starts at the same time. */
const callsEach = 8;
/** Attaches of each host before anything is measured, so that the processes run compiled code. */
const warmUp = 60;
/** Attaches of the one host, and of all three hosts together. */
const measured = 360;
/** Pause after the last return, ms. Processes do work that follows from an attach after its answer: reports, writes to disk. */
const rest = 1_000;

/** Many attaches, 8 at a time, on one host and on three hosts: how many in a second, and what each costs each process. */
export async function benchRate(): Promise<Figure[]> {
  const alone = await withLab('bench-rate', 1, async (lab) => {
    const attach = await preparedFor(lab, warmUp + measured);
    return await attach([0], measured);
  });
  const { one, three } = await withLab('bench-rate', 3, async (lab) => {
    const attach = await preparedFor(lab, warmUp + measured + measured / 3);
    return { one: await attach([0], measured), three: await attach([0, 1, 2], measured / 3) };
  });
  return [rateRow('1 host', alone), rateRow('3 hosts', three), ...costRows(one)];
}

/** What the attaches of one part of the bench took. */
interface Took {
  /** Attaches in a second. */
  readonly rate: number;
  /** Times of the calls, ms. */
  readonly calls: readonly number[];
  /** Per attach, by process; agents in the order of the hosts. */
  readonly cost: { readonly agents: readonly Cost[]; readonly manager: Cost; readonly etcd: Cost };
}

/** CPU time per attach, ms. */
interface Cost {
  readonly all: number;
  readonly system: number;
}

/** Resolves when the lab has a network, containers, and warm processes. Returns how to attach `each` on some hosts. */
async function preparedFor(
  lab: BenchLab,
  containers: number,
): Promise<(hosts: readonly number[], each: number) => Promise<Took>> {
  const subnet = ['--subnet', '10.66.0.0/16'];
  await lab.hosts[0]?.exec(['causeway', 'network', 'create', 'blue', ...subnet]);
  for (const host of lab.hosts) await makeContainers(host, containers);
  const next = lab.hosts.map(() => 0);
  const attach = async (hosts: readonly number[], each: number): Promise<Took> => {
    const agents = lab.hosts.map(({ socket }) => new AgentClient(socket));
    const calls: number[] = [];
    const before = useOf(lab);
    const began = performance.now();
    const onHost = (host: number): Promise<void> =>
      inParallel(callsEach, numbers(each), async () => {
        const i = next[host] ?? 0;
        next[host] = i + 1;
        const called = performance.now();
        await agents[host]?.attach('blue', `e${host}-${i}`, container(i));
        calls.push(performance.now() - called);
      });
    await Promise.all(hosts.map(onHost));
    const took = performance.now() - began;
    await pause(rest);
    for (const agent of agents) agent.close();
    const after = useOf(lab);
    const costOf = (pid: number): Cost => perAttach(before.get(pid), after.get(pid), calls.length);
    const agentCosts = lab.hosts.map(({ pid }) => costOf(pid));
    const cost = { agents: agentCosts, manager: costOf(lab.manager), etcd: costOf(lab.etcd) };
    return { rate: calls.length / (took / 1000), calls, cost };
  };
  await attach([...lab.hosts.keys()], warmUp);
  say(`${lab.hosts.length} hosts are warm`);
  return attach;
}

function useOf({ hosts, manager, etcd }: BenchLab): ReadonlyMap<number, Usage> {
  return new Map([...hosts.map(({ pid }) => pid), manager, etcd].map((pid) => [pid, usage(pid)]));
}

function perAttach(before: Usage | undefined, after: Usage | undefined, attaches: number): Cost {
  const spent = (of: 'cpu' | 'system'): number =>
    (1000 * ((after?.[of] ?? Number.NaN) - (before?.[of] ?? Number.NaN))) / attaches;
  return { all: spent('cpu'), system: spent('system') };
}

function rateRow(where: string, { rate, calls }: Took): Figure {
  return {
    what: `attaches/s, ${where}, ${callsEach} at a time on each`,
    ours: perSecond(rate),
    beside: `call p50 ${print(ms(median(calls)))}`,
    target: atLeast(200),
  };
}

/** The first of three hosts attached, the others followed. */
function costRows({ cost: { agents, manager, etcd } }: Took): Figure[] {
  const [own, ...others] = agents;
  const row = (what: string, { all, system }: Cost, most: number): Figure => ({
    what: `CPU per attach, 3 hosts: ${what}`,
    ours: ms(all),
    beside: `${print(ms(system))} of it in the kernel`,
    target: atMost(most),
  });
  if (own === undefined) return [];
  const other = {
    all: median(others.map(({ all }) => all)),
    system: median(others.map(({ system }) => system)),
  };
  return [
    row("the host's agent", own, 4.5),
    row('each other agent', other, 0.7),
    { ...row('leading manager', manager, 1.5), beside: `etcd ${print(ms(etcd.all))}` },
  ];
}
