import { InterfaceAddress, Mac } from '@causeway/model';
import type { Encode } from '@causeway/netlink';
import { expect, it } from 'vitest';
import { Deviations } from './deviations.ts';
import { newNamespace } from './draft.ts';
import type { Namespace } from './kinds/table.ts';
import { addressMessage, linkMessage, putBytes, received } from './testing/kernel-messages.ts';
import * as k from './wire/constants.ts';

const mac = Mac('02:42:0a:42:00:09');
const address = InterfaceAddress('10.66.0.9/16');
const index = 3;

/** A container with one link and one address. */
const desired: Namespace = {
  ...newNamespace(),
  links: new Map([['eth0', { kind: 'veth', name: 'eth0', mac, mtu: 1450, up: true }]]),
  addresses: new Map([['eth0', new Set([address])]]),
};

interface LinkEvent {
  readonly type?: number;
  readonly family?: number;
  readonly index?: number;
  readonly name?: string;
  readonly last?: number;
  readonly mtu?: number;
  readonly flags?: number;
}

function link({ name = 'eth0', last = 9, mtu = 1450, flags = k.IFF_UP, ...of }: LinkEvent = {}): Encode {
  return linkMessage({ index, flags, ...of }, (to) => {
    to.string(k.IFLA_IFNAME, name);
    putBytes(to, k.IFLA_ADDRESS, 0x02, 0x42, 0x0a, 0x42, 0x00, last);
    to.u32(k.IFLA_MTU, mtu);
  });
}

const addressEvent = (type: number, of = index): Encode =>
  addressMessage({ type, index: of }, (to) => putBytes(to, k.IFA_LOCAL, 10, 66, 0, 9));
const gone = addressEvent(k.RTM_DELADDR);
const there = addressEvent(k.RTM_NEWADDR);

/** Whether an object deviates at the end of each batch. `links`: those that exist at first. */
function deviates(
  batches: readonly (readonly Encode[])[],
  links: ReadonlyMap<number, string> = new Map([[index, 'eth0']]),
): boolean[] {
  const deviations = new Deviations(desired, links);
  return batches.map((events) => {
    for (const event of events) deviations.onEvent(received(event));
    return deviations.onBatchEnd();
  });
}

it.each<[string, readonly (readonly Encode[])[], readonly boolean[]]>([
  ['no notification', [[], []], [false, false]],
  ['a link as desired', [[link()], []], [false, false]],
  ['a link that is down', [[link({ flags: 0 })], [], []], [false, true, false]],
  ['a link with another MAC', [[link({ last: 1 })], []], [false, true]],
  ['a link with another MTU', [[link({ mtu: 1400 })], []], [false, true]],
  ['a link that is gone', [[link({ type: k.RTM_DELLINK })], []], [false, true]],
  ['a link that has another name', [[link({ name: 'eth9' })], []], [false, true]],
  ['a link that is as desired again in the same batch', [[link({ flags: 0 }), link()], []], [false, false]],
  ['a link that is as desired again in the next batch', [[link({ flags: 0 })], [link()], []], [false, false, false]],
  ['a link that still deviates in the next batch', [[link({ flags: 0 })], [link({ flags: 0 })]], [false, true]],
  ['a link that is not desired', [[link({ index: 9, name: 'eth9', flags: 0 })], []], [false, false]],
  ['a link that is not desired, gone', [[link({ index: 9, name: 'eth9', type: k.RTM_DELLINK })], []], [false, false]],
  ["a bridge's message about a link", [[link({ family: k.AF_BRIDGE, flags: 0 })], []], [false, false]],
  ['an address that is gone', [[gone], []], [false, true]],
  ['an address that is there again', [[gone, there], []], [false, false]],
  ['an address of a link that is not desired', [[addressEvent(k.RTM_DELADDR, 9)], []], [false, false]],
  [
    'an address of a link that is gone',
    [[link({ type: k.RTM_DELLINK }), link({ name: 'eth0', index: 4 }), gone], []],
    [false, false],
  ],
])('whether an object deviates after %s', (_, batches, expected) => expect(deviates(batches)).toEqual(expected));

it('a link that is made is followed from then on', () => {
  expect(deviates([[gone], [link(), gone], []], new Map())).toEqual([false, false, true]);
});

it('what is desired can change', () => {
  const deviations = new Deviations(newNamespace(), new Map([[index, 'eth0']]));
  deviations.onEvent(received(gone));
  expect([deviations.onBatchEnd(), deviations.onBatchEnd()]).toEqual([false, false]);
  deviations.expect(desired);
  deviations.onEvent(received(gone));
  expect([deviations.onBatchEnd(), deviations.onBatchEnd()]).toEqual([false, true]);
});
