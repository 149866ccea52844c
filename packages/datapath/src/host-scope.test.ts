import { InterfaceAddress, Ip, Mac } from '@causeway/model';
import { FakeClock } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { applyPlan, readState } from './apply.ts';
import { differences } from './difference.ts';
import { newNamespace } from './draft.ts';
import type { Bridge } from './kinds/link/link.ts';
import { plan } from './plan.ts';
import { printOp } from './print.ts';
import { hostNetns, type State } from './state.ts';
import { FakeKernel } from './testing/fake-kernel.ts';

/** A bridge of ours in the host namespace. */
const link: Bridge = { kind: 'bridge', name: 'cw-b10e', mac: Mac('02:45:00:00:00:01'), mtu: 1500, up: true };
const address = InterfaceAddress('10.67.0.1/16');

function stateWith(links: readonly Bridge[]): State {
  const namespace = newNamespace();
  for (const each of links) {
    namespace.links.set(each.name, each);
    namespace.addresses.set(each.name, new Set([address]));
  }
  return new Map([[hostNetns, namespace]]);
}

function fakeKernel(): FakeKernel {
  const kernel = new FakeKernel({ clock: new FakeClock() }, { underlay: Ip('192.0.2.1') });
  for (const name of ['docker0', 'cw-foo']) kernel.foreignLink(hostNetns, name);
  return kernel;
}

describe("the host's own namespace", () => {
  it('gets our desired objects, and keeps what other programs have there', async () => {
    const kernel = fakeKernel();
    const old = { ...link, name: 'cw-old' };
    await kernel.apply([{ op: 'link.add', netns: hostNetns, link: old }]);
    for (const dev of ['docker0', 'cw-foo']) kernel.foreign({ op: 'address.add', netns: hostNetns, dev, address });
    const desired = stateWith([link]);
    const ops = plan(await readState(kernel, desired), desired);
    expect(ops.map(printOp)).toEqual([
      'ip link add name cw-b10e address 02:45:00:00:00:01 mtu 1500 group 1668773751 up type bridge forward_delay 0',
      'ip address add 10.67.0.1/16 dev cw-b10e',
      'ip link delete dev cw-old',
    ]);
    expect(await applyPlan(kernel, ops)).toEqual([]);
    const actual = await readState(kernel, desired);
    expect(plan(actual, desired)).toEqual([]);
    expect(differences(actual, desired)).toEqual([]);
    const { links } = kernel.namespaces.get(hostNetns) ?? {};
    expect([...(links?.keys() ?? [])]).toEqual(['eth0', 'docker0', 'cw-foo', link.name]);
  });

  it('is put right when others change what is ours there', async () => {
    const kernel = fakeKernel();
    const desired = stateWith([link]);
    await applyPlan(kernel, plan(await readState(kernel, desired), desired));
    const stray = InterfaceAddress('10.68.0.1/16');
    kernel.foreign({ op: 'link.set', netns: hostNetns, name: link.name, change: { up: false } });
    kernel.foreign({ op: 'address.add', netns: hostNetns, dev: link.name, address: stray });
    const actual = await readState(kernel, desired);
    expect(differences(actual, desired).map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      'link cw-b10e',
      'address cw-b10e 10.68.0.1/16',
    ]);
    expect(plan(actual, desired).map(printOp)).toEqual([
      'ip link set dev cw-b10e up',
      'ip address delete 10.68.0.1/16 dev cw-b10e',
    ]);
  });

  it('loses all of ours, and nothing else, when nothing is desired', async () => {
    const kernel = fakeKernel();
    const desired = stateWith([link]);
    await applyPlan(kernel, plan(await readState(kernel, desired), desired));
    const nothing = stateWith([]);
    const ops = plan(await readState(kernel, nothing), nothing);
    expect(ops.map(printOp)).toEqual(['ip link delete dev cw-b10e']);
  });
});
