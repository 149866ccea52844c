import { addressOf, type Ip, type Name, type Node, type NodeId } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { scriptNode } from '../testing/view-script.ts';
import { claimEndpoint } from './claim-endpoint.ts';
import { freeAddresses } from './cooldown.ts';
import { createNetwork } from './create-network.ts';
import { drainNode } from './drain-node.ts';
import { registerNode } from './register-node.ts';
import { releaseByManager } from './release-endpoint.ts';
import { beginRemoval, removeNode } from './remove-node.ts';

type Step =
  | { readonly do: 'attach'; readonly slot: number; readonly name: number }
  | { readonly do: 'release'; readonly pick: number }
  | { readonly do: 'join' | 'drain' | 'undrain' | 'begin' | 'remove'; readonly slot: number }
  | { readonly do: 'cooldown-ends' };

const slot = fc.nat({ max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('attach' as const), slot, name: fc.nat({ max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), pick: fc.nat() }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('join', 'drain', 'undrain', 'begin', 'remove' as const), slot }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'cooldown-ends' as const }) },
);

/** Three names of hosts. A host that was removed joins again under its name with a new id. */
class World {
  readonly desk = new PlanHarness(new SeededRandom(3));
  readonly #joined = [0, 0, 0];
  /** Who may get a freed address before its cooldown is over. */
  readonly cooling = new Map<Ip, Name>();

  constructor() {
    this.desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/29'])));
    for (const each of [0, 1, 2]) this.join(each);
  }

  host(which: number): Node {
    const base = scriptNode(which + 1);
    const joined = this.#joined[which] ?? 0;
    return joined === 0 ? base : { ...base, id: scriptNode(100 * joined + which).id };
  }

  join(which: number): void {
    const { view } = this.desk;
    if (view.records('removed').get({ role: 'agent', id: this.host(which).id }) !== undefined) {
      expect(() => this.desk.make(registerNode(this.host(which)))).toThrow(/was removed/);
      this.#joined[which] = (this.#joined[which] ?? 0) + 1;
    }
    this.desk.make(registerNode(this.host(which)));
  }

  take(each: Step): void {
    const { desk } = this;
    const spec = (which: number) => ({ node: this.host(which).id as string, force: true });
    const facts = { isConnected: (_: NodeId) => true, by: 'test', emptied: { released: 0, interfacesRemoved: true } };
    switch (each.do) {
      case 'attach': {
        const name = `c${each.name}` as Name;
        const { addresses } = desk.make(
          claimEndpoint({ network: 'blue', name, node: this.host(each.slot).id, addresses: [] }),
        );
        for (const ip of addresses.map(addressOf)) {
          expect(this.cooling.get(ip) ?? name, `${ip} still cools`).toBe(name);
          this.cooling.delete(ip);
        }
        return;
      }
      case 'release': {
        const all = [...desk.view.records('endpoint').all.values()];
        const found = all[each.pick % all.length]?.value;
        if (found === undefined) return;
        desk.make(releaseByManager(found.id, ({ name }) => ({ kind: 'endpoint.orphaned', message: name })));
        for (const address of found.addresses) this.cooling.set(addressOf(address), found.name);
        return;
      }
      case 'join':
        this.join(each.slot);
        return;
      case 'drain':
      case 'undrain':
        desk.make(drainNode({ node: this.host(each.slot).id, drained: each.do === 'drain' }));
        return;
      case 'begin':
        desk.make(beginRemoval(spec(each.slot), facts));
        return;
      case 'remove':
        desk.make(removeNode(spec(each.slot), facts));
        return;
      case 'cooldown-ends':
        for (const network of desk.view.networks.keys()) {
          const cooled = [...desk.view.addressesOf(network)].filter(([, { claim }]) => claim.kind === 'cooling');
          desk.make(freeAddresses(network, () => cooled.map(([ip, { revision }]) => ({ ip, revision }))));
        }
        this.cooling.clear();
    }
  }

  check(): void {
    const { view } = this.desk;
    const endpoints = [...view.records('endpoint').all.values()].map(({ value }) => value);
    const addresses = endpoints.flatMap(({ addresses: own }) => own.map(addressOf));
    expect(new Set(addresses).size, 'an address was given twice').toBe(addresses.length);
    for (const { id, network, node, name, addresses: own } of endpoints) {
      expect(view.nodes.has(node), `${name} is on a host that does not exist`).toBe(true);
      for (const ip of own.map(addressOf))
        expect(view.addressesOf(network).get(ip)?.claim).toMatchObject({ kind: 'endpoint', endpoint: id });
    }
  }
}

test('no address is given twice, and none before its cooldown is over, however hosts are removed and join again', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const world = new World();
      for (const each of steps) {
        try {
          world.take(each);
        } catch (error) {
          if (!(error instanceof Error) || !('code' in error)) throw error; // refusals are expected
        }
        world.check();
      }
    }),
    { numRuns: 300 },
  );
});
