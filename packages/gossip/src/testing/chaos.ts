import { below, type Random } from '../random.ts';
import { profiles } from '../swim/profile.ts';
import { agree, formed } from './cluster.ts';
import { SeededRandom } from './seeded-random.ts';
import type { SimNetwork, SimNode } from './sim-network.ts';

// A cluster in which things break at random, and three properties that have to hold nevertheless. One seed, one story.

/** How long nodes may see each other differently after everything works again. */
const healing = 150_000;
/** How long a live node may be dead to another at 5 % loss. */
const falseDeath = 10_000;
/** How long a dead node may be alive to another: a round of probes, and the longest suspicion. */
const detection = 60_000;

type Act = (network: SimNetwork, random: Random) => void;

/** What may happen, by name. Each lasts until the next act of its kind, or until all is healed. */
const acts: Readonly<Record<string, Act>> = {
  cut(network, random) {
    const side = new Set(network.nodes.filter(() => random.float() < 0.5));
    network.reaches = (from, to) => side.has(from) === side.has(to);
  },
  deafen(network, random) {
    const deaf = any(network, random);
    network.reaches = (_, to) => to !== deaf;
  },
  blockUdp(network, random) {
    const blocked = any(network, random);
    network.passesUdp = (from, to) => from !== blocked && to !== blocked;
  },
  lose(network, random) {
    network.loss = 0.5 * random.float();
  },
  shuffle(network, random) {
    network.duplication = 0.2 * random.float();
    network.reorder = { share: random.float(), upTo: 500 * random.float() };
  },
  slow(network, random) {
    any(network, random).lag = 400 * random.float();
  },
  freeze(network, random) {
    any(network, random).frozenUntil = network.now + 500 + 29_500 * random.float();
  },
  kill(network, random) {
    network.kill(any(network, random));
  },
  restart(network, random) {
    const node = any(network, random);
    if (random.float() < 0.3) network.move(node);
    network.restart(node);
    rejoin(network, node, random);
  },
  tell(network, random) {
    network.updateMeta(any(network, random), Uint8Array.of(below(random, 256)));
  },
  /** Long enough for nodes that cannot reach each other to forget each other. */
  endure(network) {
    network.run(60_000);
  },
  heal,
};

/** Why the story of this seed went wrong; undefined: all properties hold. */
export function storyOf(seed: number): string | undefined {
  const random = new SeededRandom(seed);
  const profile = random.float() < 0.5 ? profiles.lan : profiles.fast;
  const network = formed(3 + below(random, 4), { seed, profile, isWatched: false });
  const told: string[] = [];
  for (let act = 0; act < 6; act++) {
    const names = Object.keys(acts);
    const name = names[below(random, names.length)] ?? 'heal';
    told.push(`${network.now.toFixed(0)} ms: ${name}`);
    acts[name]?.(network, random);
    network.run(4000 * random.float());
  }
  heal(network);
  const why = converges(network, random) ?? judgesRightly(network, random);
  return why === undefined ? undefined : `seed ${seed}, ${network.nodes.length} nodes: ${why}\n${told.join('\n')}`;
}

/** After everything works again, all running nodes see the same. */
function converges(network: SimNetwork, random: Random): string | undefined {
  network.run(Math.max(0, ...network.nodes.map(({ frozenUntil }) => frozenUntil - network.now)));
  const isDone = (): boolean => agree(network) && viewsOf(network).size === 1;
  for (const healed = network.now; network.now < healed + healing && !isDone(); ) {
    for (const node of network.nodes) if (node.isUp) rejoin(network, node, random);
    network.run(5000, isDone);
  }
  if (isDone()) return undefined;
  return `${healing} ms after all was healed, views differ:\n${[...viewsOf(network)].join('\n')}`;
}

/** At 5 % loss a live node is dead to no other for long, and a dead node is alive to no other for long. */
function judgesRightly(network: SimNetwork, random: Random): string | undefined {
  network.loss = 0.05;
  const victim = any(network, random);
  network.kill(victim);
  const killed = network.now;
  const wrongSince = new Map<string, number>();
  while (network.now < killed + detection && isAlive(network, victim)) {
    network.run(500);
    for (const by of network.nodes) {
      for (const about of network.nodes) {
        const pair = `${by.name} sees ${about.name} dead`;
        const isWrong = by.isUp && about.isUp && by.core.member(about.name)?.state === 'dead';
        if (!isWrong) wrongSince.delete(pair);
        else if (network.now - (wrongSince.get(pair) ?? network.now) > falseDeath)
          return `${pair} for ${falseDeath} ms`;
        else if (!wrongSince.has(pair)) wrongSince.set(pair, network.now);
      }
    }
  }
  return isAlive(network, victim) ? `${victim.name} is dead for ${detection} ms, and alive to some` : undefined;
}

function isAlive(network: SimNetwork, node: SimNode): boolean {
  return network.nodes.some((by) => by.isUp && /alive|suspect/.test(by.core.member(node.name)?.state ?? ''));
}

/** What the running nodes see of live nodes; one, if all see the same. */
function viewsOf(network: SimNetwork): Set<string> {
  const views = network.nodes.flatMap(({ isUp, core }) => {
    const live = core.members().filter(({ state }) => state === 'alive');
    return isUp
      ? [live.map(({ name, addr, meta, incarnation }) => `${name} ${addr} ${meta} ${incarnation}`).sort()]
      : [];
  });
  return new Set(views.map((each) => each.join(', ')));
}

function heal(network: SimNetwork): void {
  network.reaches = () => true;
  network.passesUdp = () => true;
  network.loss = 0;
  network.duplication = 0;
  network.reorder = { share: 0, upTo: 0 };
  for (const node of network.nodes) node.lag = 0;
}

/** A node that knows no live node joins again, as its operator would. */
function rejoin(network: SimNetwork, node: SimNode, random: Random): void {
  const others = network.nodes.filter((each) => each !== node && each.isUp);
  const to = others[below(random, others.length)];
  const isAlone = node.core.members().every(({ name, state }) => name === node.name || state === 'dead');
  if (to !== undefined && isAlone) network.join(node, to);
}

function any(network: SimNetwork, random: Random): SimNode {
  const node = network.nodes[below(random, network.nodes.length)];
  if (node === undefined) throw new Error('a network without nodes');
  return node;
}
