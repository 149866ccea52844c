import { contextOf } from '@causeway/identity/io';
import { ManagerClient } from './clients.ts';
import { atLeast, atMost, count, type Figure, mib, ms, perSecond, quantiles, seconds } from './figure.ts';
import { LightAgent } from './light-agent.ts';
import { print } from './print.ts';
import { cpuDuring, usage } from './proc.ts';
import { RawPuts } from './puts.ts';
import { Servers } from './servers.ts';
import { nodeSettings } from './session.ts';
import { inParallel, numbers, say, timed, until } from './work.ts';

/** Concurrent requests, both for claims and for the puts that they are compared with. */
const workers = 64;
const connections = 8;
const puts = 10_000;
const deltas = 30;

export interface ScaleSettings {
  /** Number of agents, each with its own session. All are on one network, with one endpoint each. */
  readonly sessions: number;
  /** Number of networks beside the one that all agents are on. */
  readonly networks: number;
  /** Number of endpoints on each of these networks, each on another host. */
  readonly endpointsEach: number;
}

/** Many endpoints and sessions at one manager. The agents are simulated in this process, without tables and kernels. */
export async function benchScale(settings: ScaleSettings): Promise<Figure[]> {
  const servers = await Servers.create();
  try {
    await servers.startManager();
    return await measure(servers, settings);
  } finally {
    await servers.close();
  }
}

async function measure(servers: Servers, settings: ScaleSettings): Promise<Figure[]> {
  const { sessions: agents, networks: smallNetworks, endpointsEach } = settings;
  const idle = usage(servers.manager).rss;
  const rawPuts = await putsPerSecond(servers.etcdUrls);
  say(`${rawPuts.toFixed(0)} puts/s`);
  const clients = numbers(connections).map(() => new ManagerClient(servers.address, servers.members.forwarder()));
  const client = (i: number): ManagerClient => clients[i % connections] as ManagerClient;
  const sessions = numbers(agents).map((i) => lightAgent(servers, i));
  const node = (i: number): string => nodeSettings(i % agents).id;
  try {
    let join = 0;
    const joinCpu = await cpuDuring([servers.manager], async () => {
      join = await timed(() => inParallel(workers, sessions, (session) => session.start()));
    });
    say(`${agents} sessions in ${print(seconds(join))}`);

    const wide = await client(0).createNetwork('wide', '10.0.0.0/16');
    const claimWide = await timed(() =>
      inParallel(workers, numbers(agents), (i) => client(i).claim('wide', `w${i}`, node(i))),
    );
    say(`one network on ${agents} hosts in ${print(seconds(claimWide))}`);
    // Networks are created one after another in any case, and each that waits is planned again and again.
    await inParallel(connections, numbers(smallNetworks), (i) =>
      client(i).createNetwork(`s${i}`, `100.${64 + (i >> 8)}.${i & 255}.0/24`),
    );
    say(`${smallNetworks} networks`);
    const small = smallNetworks * endpointsEach;
    const claimSmall = await timed(() =>
      inParallel(workers, numbers(small), (i) => {
        const network = i % smallNetworks;
        return client(i).claim(`s${network}`, `e${i}`, node(network + Math.floor(i / smallNetworks)));
      }),
    );
    say(`${small} claims in ${print(seconds(claimSmall))}`);
    const times = await deltaTimes(sessions, client(0), wide.id);
    const full = usage(servers.manager);
    const lost = sessions.filter(({ isLost }) => isLost);
    for (const session of sessions) session.close();

    await servers.stopManager();
    const restart = await timed(() => servers.startManager());
    const restarted = usage(servers.manager).rss;
    const { endpoints } = await client(0).status(10_000);
    say(`${endpoints} endpoints after a restart`);
    const rate = small / (claimSmall / 1000);
    const limits = agents <= 1000 ? { delta: 250, rss: 512 } : { delta: 1000, rss: 900 };
    return [
      {
        what: `claims, ${workers} at once (${small} over ${smallNetworks} networks, ${agents} sessions)`,
        ours: perSecond(rate),
        beside: `etcd single puts ${rawPuts.toFixed(0)}/s`,
        ratio: rate / rawPuts,
      },
      {
        what: `sessions, ${workers} connect at once`,
        ours: perSecond(agents / (join / 1000)),
        beside: `CPU time of the manager for each ${print(ms((joinCpu * 1000) / agents))}`,
      },
      {
        what: `claims in one network on all ${agents} hosts`,
        ours: perSecond(agents / (claimWide / 1000)),
        beside: `etcd single puts ${rawPuts.toFixed(0)}/s`,
        ratio: agents / (claimWide / 1000) / rawPuts,
        target: atLeast(200),
      },
      {
        what: `claim called → its delta at each of ${agents} sessions (simulated agents)`,
        ours: quantiles(times.arrivals),
        beside: '',
        target: atMost({ p99: limits.delta }),
      },
      {
        what: `the same, at the last of all ${agents} sessions`,
        ours: quantiles(times.last),
        beside: '',
        target: atMost({ p99: 1000 }),
      },
      {
        what: `sessions lost, of ${agents}`,
        ours: count(lost.length),
        beside: lost[0]?.farewell ?? '',
        target: atMost(0),
      },
      {
        what: `manager RSS at its peak, ${endpoints} endpoints and ${agents} sessions`,
        ours: mib(full.peakRss),
        beside: `idle ${print(mib(idle))}, at the end ${print(mib(full.rss))}`,
        target: atMost(limits.rss),
      },
      {
        what: `manager process started → leads, ${endpoints} endpoints`,
        ours: seconds(restart),
        beside: `RSS then ${print(mib(restarted))}`,
      },
    ];
  } finally {
    for (const session of sessions) session.close();
    for (const each of clients) each.close();
  }
}

function lightAgent({ address, members }: Servers, i: number): LightAgent {
  const node = nodeSettings(i);
  // Made here, because it costs this process as much as a handshake, and an agent makes it once.
  return new LightAgent(address, contextOf(members.credential('agent', node.id)), node);
}

interface DeltaTimes {
  /** Times of arrival at each session. */
  readonly arrivals: number[];
  /** Times of arrival at the last session. */
  readonly last: number[];
}

async function deltaTimes(
  sessions: readonly LightAgent[],
  client: ManagerClient,
  network: string,
): Promise<DeltaTimes> {
  const times: DeltaTimes = { arrivals: [], last: [] };
  for (const i of numbers(deltas)) {
    const called = performance.now();
    const arrivals: number[] = [];
    for (const session of sessions) {
      session.onNetwork = (id) => {
        if (id === network) arrivals.push(performance.now() - called);
      };
    }
    await client.claim('wide', `d${i}`, nodeSettings(i).id);
    const live = (): number => sessions.filter(({ isLost }) => !isLost).length;
    await until('a delta at every session', 10_000, () => arrivals.length >= live());
    times.arrivals.push(...arrivals);
    if (arrivals.length > 0) times.last.push(Math.max(...arrivals));
  }
  return times;
}

async function putsPerSecond(urls: readonly string[]): Promise<number> {
  const raw = new RawPuts(urls);
  try {
    const took = await timed(() => inParallel(workers, numbers(puts), () => raw.put()));
    await raw.clear();
    return puts / (took / 1000);
  } finally {
    raw.close();
  }
}
