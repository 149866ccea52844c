import type { State } from '../wire/push-pull.ts';
import { SimNetwork, type SimNode, type SimOptions } from './sim-network.ts';

/** A cluster in which every node knows every node. Throws after `limit` milliseconds without that. */
export function formed(count: number, options: SimOptions, limit = 200_000): SimNetwork {
  const network = new SimNetwork(options);
  const first = network.add('n0');
  for (let i = 1; i < count; i++) network.join(network.add(`n${i}`), first);
  network.run(limit, () => agree(network));
  if (!agree(network)) throw new Error(`seed ${options.seed}: no agreement after ${limit} ms`);
  return network;
}

/** Whether every running node sees every running node as alive, and no other. */
export function agree(network: SimNetwork): boolean {
  const up = network.nodes.filter(({ isUp }) => isUp);
  return up.every((observer) => {
    const alive = observer.core.members().filter(({ state }) => state === 'alive');
    return alive.length === up.length && up.every(({ name }) => stateAt(observer, name) === 'alive');
  });
}

export function stateAt(observer: SimNode, name: string): State | undefined {
  return observer.core.member(name)?.state;
}

/** Whether all running nodes see this state of the node. */
export function allSee(network: SimNetwork, name: string, state: State): boolean {
  return network.nodes.every((each) => !each.isUp || each.name === name || stateAt(each, name) === state);
}

/** Whether no running node believes that the node runs: to some it is dead or has left, and others have forgotten it. */
export function allMiss(network: SimNetwork, name: string): boolean {
  return network.nodes.every((each) => !each.isUp || /^(?:dead|left|undefined)$/.test(`${stateAt(each, name)}`));
}

/** Seeds of this run: `CAUSEWAY_SEEDS` of them, from `CAUSEWAY_SEED` on. */
export function seeds(fewest: number): readonly number[] {
  const first = Number(process.env['CAUSEWAY_SEED'] ?? '1');
  return Array.from({ length: Number(process.env['CAUSEWAY_SEEDS'] ?? fewest) }, (_, i) => first + i);
}
