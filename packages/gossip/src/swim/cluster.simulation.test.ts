import { describe, expect, test } from 'vitest';
import { agree, allMiss, allSee, formed, seeds, stateAt } from '../testing/cluster.ts';
import { NullAead } from '../testing/null-aead.ts';
import { SimNetwork, type SimNode } from '../testing/sim-network.ts';
import { utf8 } from '../wire/bytes.ts';
import { Keyring } from '../wire/keyring.ts';
import { labelBytes } from '../wire/label.ts';
import { lan, profiles } from './profile.ts';
import { suspicionTerms } from './suspicion.ts';

/** CAUSEWAY_NODES=50 CAUSEWAY_SEEDS=50 npm test -- --project unit packages/gossip/src/swim */
const count = Number(process.env['CAUSEWAY_NODES'] ?? '20');
const layers = {
  label: labelBytes('blue'),
  compresses: true,
  encryption: {
    aead: new NullAead(),
    keyring: new Keyring(new Uint8Array(32)),
    version: 1,
    encryptsOutgoing: true,
    refusesPlaintext: true,
  },
} as const;

/** A suspicion that no other node confirms, and a round of probes before it. */
const slowestDetection = suspicionTerms(lan, count).max + 2 * count * lan.probeInterval;

function nodeOf(network: SimNetwork, name: string): SimNode {
  const node = network.nodes.find((each) => each.name === name);
  if (node === undefined) throw new Error(`no node ${name}`);
  return node;
}

describe.each(seeds(5))('seed %i', (seed) => {
  test('a node that dies is dead everywhere, and no other node is accused', () => {
    const network = formed(count, { seed });
    network.kill(nodeOf(network, 'n3'));
    network.run(slowestDetection, () => allSee(network, 'n3', 'dead'));
    expect(allSee(network, 'n3', 'dead')).toBe(true);
    const accused = network.events.flatMap(({ event }) => (event.type === 'suspect' ? [event.member.name] : []));
    expect(new Set(accused)).toEqual(new Set(['n3']));
  });

  test('a node that leaves is missed everywhere, and most nodes know that it left', () => {
    const network = formed(count, { seed });
    const node = nodeOf(network, 'n5');
    const command = network.leave(node);
    network.run(10_000, () => network.settled.has(command));
    expect([...network.settled].filter(([, error]) => error !== undefined)).toEqual([]);
    network.kill(node);
    const sawIt = network.events.filter(({ event }) => event.type === 'leave' && event.member.state === 'left');
    expect(sawIt.length).toBeGreaterThan(count / 2);
    network.run(slowestDetection, () => allMiss(network, 'n5'));
    expect(allMiss(network, 'n5')).toBe(true);
  });

  test('at 5 % loss no live node is dead', () => {
    const network = formed(count, { seed });
    network.loss = 0.05;
    network.run(60_000);
    expect(network.events.filter(({ event }) => event.type === 'leave')).toEqual([]);
  });

  test('after a partition of 15 s all views are equal again', () => {
    const network = formed(count, { seed });
    network.reaches = (from, to) => network.nodes.indexOf(from) % 2 === network.nodes.indexOf(to) % 2;
    network.run(15_000);
    network.reaches = () => true;
    network.run(120_000, () => agree(network));
    expect(agree(network)).toBe(true);
  });

  test('a node that does not run for 3 s refutes', () => {
    const network = formed(count, { seed });
    const frozen = nodeOf(network, 'n7');
    frozen.frozenUntil = network.now + 3_000;
    network.run(30_000);
    expect(agree(network)).toBe(true);
    expect(network.events.filter(({ event }) => event.type === 'leave')).toEqual([]);
  });

  test('a node that starts again is alive everywhere', () => {
    const network = formed(count, { seed });
    const node = nodeOf(network, 'n4');
    network.kill(node);
    network.run(slowestDetection, () => allSee(network, 'n4', 'dead'));
    network.restart(node);
    network.join(node, nodeOf(network, 'n0'));
    network.run(120_000, () => agree(network));
    expect(agree(network)).toBe(true);
  });

  test('news of a meta reaches every node, in a labelled and encrypted cluster', () => {
    const network = formed(count, { seed, layers });
    const command = network.updateMeta(nodeOf(network, 'n2'), utf8('new'));
    const knows = (each: SimNode): boolean => each.core.member('n2')?.meta.length === 3;
    network.run(60_000, () => network.nodes.every(knows) && network.settled.has(command));
    expect(network.nodes.every(knows)).toBe(true);
    expect(network.settled.get(command)).toBeUndefined();
    expect(network.nodes.flatMap(({ core }) => [...core.refusals])).toEqual([]);
  });
});

/** Both halves have found each other dead, and forgotten each other, when the network heals. */
test.each([
  ['lan', 20_000],
  ['fast', 10_000],
] as const)('%s: a cluster that was cut in halves for 3 minutes is one again after %i ms, unaided', (name, limit) => {
  const network = formed(count, { seed: 1, profile: profiles[name] });
  network.reaches = (from, to) => network.nodes.indexOf(from) % 2 === network.nodes.indexOf(to) % 2;
  network.run(180_000);
  expect(nodeOf(network, 'n1').core.members()).toHaveLength(count / 2);
  network.reaches = () => true;
  network.run(limit, () => agree(network));
  expect(agree(network)).toBe(true);
});

test.each(['lan', 'fast'] as const)('%s: 50 nodes that join at once know each other after 3 s', (name) => {
  const network = new SimNetwork({ seed: 1, profile: profiles[name] });
  const first = network.add('n0');
  for (let i = 1; i < 50; i++) network.join(network.add(`n${i}`), first);
  network.run(3000, () => agree(network));
  expect(agree(network)).toBe(true);
});

describe('fast', () => {
  const settled = (): SimNetwork => {
    const network = formed(count, { seed: 1, profile: profiles.fast });
    // Until then, nodes have learned from pings who else speaks with views.
    network.run(20_000);
    return network;
  };

  test('news of a meta is everywhere in a quarter of a second', () => {
    const network = settled();
    network.updateMeta(nodeOf(network, 'n2'), utf8('new'));
    network.run(250);
    expect(network.nodes.filter(({ core }) => core.member('n2')?.meta.length === 3)).toHaveLength(count);
  });

  test('a process that dies is dead everywhere after 1.5 s, and a host that is silent after 3 s', () => {
    const network = settled();
    network.kill(nodeOf(network, 'n3'));
    network.run(1500);
    expect(allSee(network, 'n3', 'dead')).toBe(true);
    const silent = nodeOf(network, 'n5');
    network.reaches = (from, to) => from !== silent && to !== silent;
    network.run(3000);
    expect(network.nodes.filter((each) => each !== silent && each.isUp && stateAt(each, 'n5') !== 'dead')).toEqual([]);
    expect(network.events.filter(({ event }) => event.type === 'refused').length).toBeGreaterThan(0);
  });

  test('a process that starts again within 200 ms is never dead', () => {
    const network = settled();
    const node = nodeOf(network, 'n3');
    network.kill(node);
    network.run(200);
    network.restart(node);
    network.join(node, nodeOf(network, 'n0'));
    network.run(20_000);
    expect(network.events.filter(({ event }) => event.type === 'leave')).toEqual([]);
    expect(agree(network)).toBe(true);
  });

  test('at 5 % loss no live node is dead', () => {
    const network = settled();
    network.loss = 0.05;
    network.run(60_000);
    expect(network.events.filter(({ event }) => event.type === 'leave')).toEqual([]);
  });

  test('a node that keeps stalling is judged as slowly as memberlist does from its second death on', () => {
    const network = settled();
    const node = nodeOf(network, 'n3');
    for (let stall = 0; stall < 6; stall++) {
      node.frozenUntil = network.now + 4000;
      network.run(8000);
    }
    const deaths = network.events.filter(({ node: by, event }) => by === 'n0' && event.type === 'leave');
    expect(deaths).toHaveLength(2);
    expect(agree(network)).toBe(true);
  });
});

test('where only UDP fails, a node stays alive, and its peers say so', () => {
  const network = formed(5, { seed: 1 });
  network.passesUdp = (from, to) => from.name !== 'n2' && to.name !== 'n2';
  network.run(30_000);
  expect(allSee(network, 'n2', 'alive')).toBe(true);
  const blocked = network.events.filter(({ event }) => event.type === 'udpBlocked' && event.member.name === 'n2');
  expect(new Set(blocked.map(({ node }) => node))).toEqual(new Set(['n0', 'n1', 'n3', 'n4']));
});

test('where a node cannot reach one other node, relays keep both alive', () => {
  const network = formed(5, { seed: 1 });
  network.reaches = (from, to) => !(from.name === 'n1' && to.name === 'n2');
  network.run(60_000);
  expect(network.events.filter(({ event }) => event.type === 'leave')).toEqual([]);
  expect(nodeOf(network, 'n1').core.health).toBe(0);
});

test('the same seed gives the same packets, and another seed gives others', () => {
  const [a, b, c] = [1, 1, 2].map((seed) => {
    const network = formed(6, { seed });
    network.loss = 0.2;
    network.run(20_000);
    return network.trace;
  });
  expect(a).toBe(b);
  expect(a).not.toBe(c);
});

test('clusters with different labels or keys do not meet', () => {
  const network = new SimNetwork({ seed: 1, layers });
  const inside = network.add('inside');
  const other = new SimNetwork({ seed: 1, layers: { ...layers, label: labelBytes('red') } });
  const outside = other.add('outside');
  const sent = other.nodes[0]?.core.step({ type: 'join', command: 1, to: inside.address }, 0) ?? [];
  for (const effect of sent) {
    if (effect.type !== 'connect') continue;
    network.give(inside, { type: 'accepted', stream: 1, from: outside.address });
    network.give(inside, { type: 'received', stream: 1, bytes: effect.bytes });
  }
  expect([...inside.core.refusals]).toEqual([['wrong-label', 1]]);
  expect(inside.core.members()).toHaveLength(1);
});
