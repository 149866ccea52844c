import { Ip, type Name, type NetworkId, type Vni } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { scriptNode } from '../testing/view-script.ts';
import { claimEndpoint } from './claim-endpoint.ts';
import { freeAddresses, freeVni, removeClaimsOfDeleted } from './cooldown.ts';
import { createNetwork } from './create-network.ts';
import { deleteNetwork } from './delete-network.ts';
import { registerNode } from './register-node.ts';
import { releaseEndpoint } from './release-endpoint.ts';

const host = scriptNode(1);
const gateway = Ip('10.66.0.1');
let desk: PlanHarness;
let network: NetworkId;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(7));
  desk.make(registerNode(host));
  network = desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/24']))).id;
});

function attach(name: string, ip: Ip): void {
  desk.make(claimEndpoint({ network: 'blue', name: name as Name, node: host.id, addresses: [ip] }));
}

function detach(name: string): void {
  const { id } = desk.view.findEndpoint(name).value;
  desk.make(releaseEndpoint({ endpoint: id, node: host.id, reason: 'asked' }));
}

/** Attaches and detaches an endpoint with this address. Returns the revision of the cooling claim. */
function cool(name: string, ip: Ip): bigint {
  attach(name, ip);
  detach(name);
  return desk.view.revision;
}

const claimed = () => [...desk.view.addressesOf(network).keys()];
const isCoolingVni = (vni: Vni): boolean => desk.view.vnis.get(vni)?.claim.kind === 'cooling';

describe('the end of a cooldown frees', () => {
  const ip = Ip('10.66.0.9');

  test.each<[string, (revision: bigint) => bigint, Ip[]]>([
    ['the address whose cooling claim was judged', (revision) => revision, [gateway]],
    ['no address that cools since another revision', (revision) => revision - 1n, [gateway, ip]],
    [
      'no address that was given to an endpoint again, even at the revision that was judged',
      () => {
        attach('web', ip);
        return desk.view.revision;
      },
      [gateway, ip],
    ],
    [
      'no address that was given again and freed again since',
      (revision) => {
        attach('web', ip);
        detach('web');
        return revision;
      },
      [gateway, ip],
    ],
  ])('%s', (_name, judged, left) => {
    const revision = judged(cool('web', ip));
    const reply = desk.make(freeAddresses(network, () => [{ ip, revision }]));
    expect({ reply, claimed: claimed() }).toEqual({ reply: 2 - left.length, claimed: left });
  });

  test('nothing for an address without a claim', () => {
    const judged = [{ ip, revision: desk.view.revision }];
    expect(freeAddresses(network, () => judged).plan(desk)).toMatchObject({ writes: [], reply: 0 });
  });

  test('each address by its own claim, and the transaction compares that claim', () => {
    const other = Ip('10.66.0.10');
    const judged = [
      { ip, revision: cool('web', ip) },
      { ip: other, revision: cool('db', other) },
    ];
    attach('db', other);
    const key = desk.keys.address(network, ip);
    expect(freeAddresses(network, () => judged).plan(desk)).toMatchObject({
      compares: [{ kind: 'unchanged', key, modRevision: judged[0]?.revision }],
      writes: [{ kind: 'delete', key }],
      reply: 1,
    });
  });

  test('the MAC address that cools with an IPv6 address, and not one that has another endpoint', () => {
    const green = desk.make(createNetwork(plainNetwork('green', ['fd66::/64', 'fd77::/64']))).id;
    const claim = (name: string, address: string) =>
      desk.make(claimEndpoint({ network: 'green', name: name as Name, node: host.id, addresses: [Ip(address)] }));
    const { mac } = claim('web', 'fd66::9');
    expect(desk.view.macsOf(green).has(mac)).toBe(true);
    detach('web');
    const judged = { ip: Ip('fd66::9'), revision: desk.view.revision };
    const keys = [desk.keys.address(green, judged.ip), desk.keys.mac(green, mac)];
    const { writes } = freeAddresses(green, () => [judged]).plan(desk);
    expect(writes).toEqual(keys.map((key) => ({ kind: 'delete', key })));
    // The MAC address alone is given to another endpoint.
    const value = desk.written.get(desk.keys.address(network, gateway)) ?? new Uint8Array();
    const key = desk.keys.mac(green, mac);
    desk.write({ compares: [], writes: [{ kind: 'put', key, value }], takes: [], events: [], reply: undefined });
    expect(freeAddresses(green, () => [judged]).plan(desk).writes).toEqual([{ kind: 'delete', key: keys[0] }]);
  });
});

describe('the end of a VNI’s cooldown', () => {
  const vni = 4096 as Vni;
  const remove = (): bigint => {
    desk.make(deleteNetwork({ network: 'blue', force: false }));
    return desk.view.revision;
  };

  test('frees the VNI whose cooling claim was judged', () => {
    const revision = remove();
    expect(desk.make(freeVni(() => ({ vni, revision })))).toBe(vni);
    expect(desk.view.vnis.has(vni)).toBe(false);
  });

  test('leaves a VNI that cools since another revision', () => {
    const revision = remove() - 1n;
    expect(desk.make(freeVni(() => ({ vni, revision })))).toBeUndefined();
    expect(isCoolingVni(vni)).toBe(true);
  });

  test('leaves a VNI of a network, even at the revision that was judged', () => {
    const revision = desk.view.vnis.get(vni)?.revision ?? 0n;
    expect(desk.make(freeVni(() => ({ vni, revision })))).toBeUndefined();
    expect(desk.view.vnis.has(vni)).toBe(true);
  });

  test('leaves a VNI when the cooldown is not over any more', () => {
    remove();
    expect(desk.make(freeVni(() => undefined))).toBeUndefined();
    expect(isCoolingVni(vni)).toBe(true);
  });
});

describe('claims that a deleted network left behind', () => {
  const leave = (count: number): void => {
    for (let n = 0; n < count; n++) cool(`e${n}`, Ip(`10.66.0.${10 + n}`));
  };

  test('are removed some at a time, whatever their kind', () => {
    leave(3);
    desk.make(deleteNetwork({ network: 'blue', force: false }));
    expect(claimed()).toHaveLength(3);
    expect(desk.make(removeClaimsOfDeleted(network, 2))).toBe(2);
    expect(desk.make(removeClaimsOfDeleted(network, 2))).toBe(1);
    expect(claimed()).toEqual([]);
  });

  test('stay while the network exists', () => {
    leave(1);
    expect(desk.make(removeClaimsOfDeleted(network, 2))).toBe(0);
    expect(claimed()).toHaveLength(2);
  });
});
