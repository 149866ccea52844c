import { ManagerClient } from './clients.ts';
import { atLeast, type Figure, median, perSecond, quantiles } from './figure.ts';
import { print } from './print.ts';
import { cpuOf } from './proc.ts';
import { RawPuts } from './puts.ts';
import { Servers } from './servers.ts';
import { nodeSettings, registerHosts } from './session.ts';
import { inParallel, numbers, say, timed } from './work.ts';

const memberCounts = [1, 3];
const hosts = 16;
/** Concurrent requests, both for claims and for the puts that they are compared with. */
const workers = 64;
const connections = 8;
/** Claims in one call: as from a host whose containers start together. */
const callSize = 16;
/** Claims and puts take turns, so that both run under the same load of the machine. */
const rounds = 4;
const perRound = 2_500;
const turns = 20;
const perTurn = 20;

type Write = () => Promise<unknown>;

/** Claims through the public API, compared with puts of one key directly at etcd by the same client and as many workers. */
export async function benchClaims(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const members of memberCounts) {
    const servers = await Servers.create(members);
    try {
      await servers.startManager();
      figures.push(...(await measure(servers)));
    } finally {
      await servers.close();
    }
  }
  return figures;
}

async function measure(servers: Servers): Promise<Figure[]> {
  const raw = new RawPuts(servers.etcdUrls);
  const clients = numbers(connections).map(() => new ManagerClient(servers.address, servers.members.forwarder()));
  let claimed = 0;
  const put: Write = () => raw.put();
  const claim: Write = async () => {
    const i = claimed++;
    await clients[i % connections]?.claim('wide', `c${i}`, nodeSettings(i % hosts).id);
  };
  const together: Write = async () => {
    const i = claimed++;
    const names = numbers(callSize).map((n) => `t${i}-${n}`);
    await clients[i % connections]?.claimTogether('wide', names, nodeSettings(i % hosts).id);
  };
  try {
    await registerHosts(servers, hosts);
    await clients[0]?.createNetwork('wide', '10.0.0.0/12');
    const busy = { put: 0, claim: 0, together: 0 };
    const sides = [
      async (name: string) => (busy.put += await manyAtOnce(`${name}: puts`, servers, put)),
      async (name: string) => (busy.claim += await manyAtOnce(`${name}: claims`, servers, claim)),
      async (name: string) =>
        (busy.together += await manyAtOnce(`${name}: claims, ${callSize} a call`, servers, together, callSize)),
    ];
    // Warm up, so that no figure includes code that is not compiled yet.
    for (const side of sides) await side('warm-up');
    Object.assign(busy, { put: 0, claim: 0, together: 0 });
    for (const round of numbers(rounds)) {
      // Each round begins with another side, so that the after-effects of a turn are shared evenly.
      for (const i of numbers(sides.length)) await sides[(round + i) % sides.length]?.(`${round}`);
    }
    const alone = await oneByOne(put, claim);
    const claims = rounds * perRound;
    const rate = {
      put: claims / busy.put,
      claim: claims / busy.claim,
      together: claims / busy.together,
    };
    const where = `${servers.etcds.length} etcd member${servers.etcds.length === 1 ? '' : 's'}`;
    return [
      {
        what: `claims, ${workers} at once, ${where}`,
        ours: perSecond(rate.claim * 1000),
        beside: `etcd single puts ${(rate.put * 1000).toFixed(0)}/s`,
        ratio: rate.claim / rate.put,
        target: atLeast(3, 'ratio'),
      },
      {
        what: `claims, ${callSize} a call, ${workers} calls at once, ${where}`,
        ours: perSecond(rate.together * 1000),
        beside: `etcd single puts ${(rate.put * 1000).toFixed(0)}/s`,
        ratio: rate.together / rate.put,
        target: atLeast(3, 'ratio'),
      },
      {
        what: `claims one by one, ${where}`,
        ours: quantiles(alone.claim),
        beside: `etcd single put ${print(quantiles(alone.put))}`,
        ratio: median(alone.put) / median(alone.claim),
        target: atLeast(0.5, 'ratio'),
      },
    ];
  } finally {
    for (const client of clients) client.close();
    raw.close();
  }
}

/** In short turns, so that both run under the same load of the machine. Runs last: all code is compiled by then. */
async function oneByOne(put: Write, claim: Write): Promise<{ put: number[]; claim: number[] }> {
  const times = { put: [] as number[], claim: [] as number[] };
  for (const _ of numbers(turns)) {
    for (const _ of numbers(perTurn)) times.put.push(await timed(put));
    for (const _ of numbers(perTurn)) times.claim.push(await timed(claim));
  }
  return times;
}

/** Milliseconds. Also prints the CPU time that each process used per request. */
async function manyAtOnce(name: string, servers: Servers, write: Write, size = 1): Promise<number> {
  const sides = { client: [process.pid], manager: [servers.manager], etcd: servers.etcds };
  const before = Object.values(sides).map(cpuOf);
  const took = await timed(() => inParallel(workers, numbers(Math.ceil(perRound / size)), write));
  const cpu = Object.entries(sides).map(([side, pids], i) => {
    const micros = ((cpuOf(pids) - (before[i] ?? 0)) * 1e6) / perRound;
    return `${side} ${micros.toFixed(0)}`;
  });
  say(`${name} ${((perRound / took) * 1000).toFixed(0)}/s; µs of processor each: ${cpu.join(', ')}`);
  return took;
}
