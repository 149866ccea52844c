import { spawn } from 'node:child_process';
import { AgentClient } from './clients.ts';
import { atMost, type Figure, quantiles } from './figure.ts';
import { container, type Host, makeContainers, withLab } from './lab.ts';
import { numbers, pause, say } from './work.ts';

/** Attaches for each row. */
const rounds = 20;
/** Pause before each attach, so that the cluster is at rest, ms. */
const rest = 150;
/** A ping without an answer counts as this long, ms. In this time, the kernel asks for the address three times. */
const patience = 3_000;

/** Times of the first answers, ms, by address family. */
interface Times {
  readonly v4: number[];
  readonly v6: number[];
}

/**
 * First pings to a new endpoint. Each ping is a single packet: it is lost if it is sent when the endpoint's host is not ready
 * yet. A ping that began before the endpoint existed waits in the kernel of its container, which asks for the address once
 * a second.
 */
export async function benchPings(): Promise<Figure[]> {
  return withLab('bench-pings', 2, async ({ hosts: [near, far] }) => {
    if (near === undefined || far === undefined) throw new Error('the lab has too few hosts');
    const prefixes = ['--subnet', '10.66.0.0/16', '--subnet', 'fd66::/64'];
    await near.exec(['causeway', 'network', 'create', 'blue', ...prefixes]);
    const from = new Endpoints(near);
    const to = new Endpoints(far);
    try {
      await from.prepare(1 + rounds);
      await to.prepare(1 + 2 * rounds);
      const source = await from.attach();
      await to.attach();
      const after = await each(() => pingAfter(source, to));
      const before = await each(() => pingBefore(source, to));
      const beside = await each(() => pingBefore(source, from));
      say(`${3 * rounds} attaches, two pings for each`);
      return [
        ...rows(
          'first ping after the attach returned',
          after,
          'round-trip time; ARP or neighbour discovery before it',
          0.9,
        ),
        ...rows('attach returned → answer to a ping that began before, on another host', before, retry, 50),
        ...rows('attach returned → answer to a ping that began before, on the same host', beside, retry, 50),
      ];
    } finally {
      from.close();
      to.close();
    }
  });
}

const retry = 'without an announcement, the kernel asks again within 1,000 ms';

function rows(what: string, times: Times, beside: string, most: number): Figure[] {
  return (['v4', 'v6'] as const).map((family) => ({
    what: `${what}, IP${family}`,
    ours: quantiles(times[family]),
    beside,
    target: atMost({ p50: most }),
  }));
}

async function each(measure: () => Promise<readonly [number, number]>): Promise<Times> {
  const times: Times = { v4: [], v6: [] };
  for (const _ of numbers(rounds)) {
    await pause(rest);
    const [v4, v6] = await measure();
    times.v4.push(v4);
    times.v6.push(v6);
  }
  return times;
}

/** Round-trip times of pings that begin when the attach has returned. */
async function pingAfter(source: string, on: Endpoints): Promise<[number, number]> {
  const addresses = on.nextAddresses;
  await on.attach();
  const [v4, v6] = await Promise.all(addresses.map((address) => ping(source, address)));
  return [v4?.roundTrip ?? patience, v6?.roundTrip ?? patience];
}

/** Times from the return of the attach to the answers of pings that began before the attach. */
async function pingBefore(source: string, on: Endpoints): Promise<[number, number]> {
  const pings = on.nextAddresses.map((address) => ping(source, address));
  // At a random time between two requests of the kernel.
  await pause(100 + 800 * Math.random());
  await on.attach();
  const returned = Date.now();
  const [v4, v6] = await Promise.all(pings);
  return [(v4?.answered ?? returned + patience) - returned, (v6?.answered ?? returned + patience) - returned];
}

interface Answer {
  /** Unix time, ms. */
  readonly answered: number;
  /** ms. */
  readonly roundTrip: number;
}

/** Sends one packet from a namespace. undefined: no answer. */
async function ping(netns: string, address: string): Promise<Answer | undefined> {
  const words = [`--net=${netns}`, 'ping', '-n', '-D', '-c', '1', '-W', String(patience / 1000), address];
  const child = spawn('nsenter', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const part of child.stdout) text += part;
  // "[1790000000.123456] 64 bytes from 10.66.0.9: icmp_seq=1 ttl=64 time=0.85 ms"
  const found = /^\[(\d+\.\d+)\] \d+ bytes from .* time=([\d.]+) ms$/m.exec(text);
  return found === null ? undefined : { answered: Number(found[1]) * 1000, roundTrip: Number(found[2]) };
}

/** Attaches the containers of one host, one after the other, with addresses that are known before. */
class Endpoints {
  readonly #host: Host;
  readonly #agent: AgentClient;
  static #made = 1;
  #attached = 0;

  constructor(host: Host) {
    this.#host = host;
    this.#agent = new AgentClient(host.socket);
  }

  prepare(count: number): Promise<void> {
    return makeContainers(this.#host, count);
  }

  /** IPv4 and IPv6 address of the next endpoint. */
  get nextAddresses(): readonly [string, string] {
    const n = Endpoints.#made + 1;
    return [`10.66.0.${n}`, `fd66::${n.toString(16)}`];
  }

  /** Returns the path of the container's namespace, as seen from outside the host. */
  async attach(): Promise<string> {
    const addresses = this.nextAddresses;
    const n = ++Endpoints.#made;
    const netns = container(this.#attached++);
    await this.#agent.attach('blue', `e${n}`, netns, addresses);
    return this.#host.path(netns);
  }

  close(): void {
    this.#agent.close();
  }
}
