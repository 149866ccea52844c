import { type Encode, KernelError, MessageReader, NETLINK_NETFILTER } from '@causeway/netlink';
import { describe, expect, it } from 'vitest';
import { hostNetns, type NetnsPath } from '../state.ts';
import { received } from '../testing/kernel-messages.ts';
import { type Answer, bytesOf, ScriptedSocket } from '../testing/scripted-socket.ts';
import { deleteGuard, dumpRules, dumpTables, guardComment, setGuard } from '../wire/nftables.ts';
import * as k from '../wire/nftables-constants.ts';
import type { Reading, Writing } from './kind.ts';
import { portGuard } from './port-guard.ts';

const port = 4793;

/** The messages of a transaction, as the kernel shows their objects: with the same attributes. */
function messagesOf(transaction: Encode): ReadonlyMap<number, readonly Encode[]> {
  const messages = new Map<number, Encode[]>();
  const reader = new MessageReader(bytesOf([transaction]));
  while (reader.next()) {
    const [type, payload] = [reader.type, reader.slice(0, reader.end - reader.start).slice()];
    const encode: Encode = (to) => {
      to.begin(type);
      to.buffer.set(payload, to.struct(payload.length));
      to.end();
    };
    messages.set(type, [...(messages.get(type) ?? []), encode]);
  }
  return messages;
}

const sent = messagesOf(setGuard(port));
const rules = sent.get(k.NFT_MSG_NEWRULE) ?? [];
const [input, output] = rules as [Encode, Encode];

function table(name: string, over: { readonly family?: number; readonly flags?: number } = {}): Encode {
  return (to) => {
    to.begin(k.NFT_MSG_NEWTABLE);
    to.put8(to.struct(k.nfgenmsg), over.family ?? k.NFPROTO_INET);
    to.string(k.NFTA_TABLE_NAME, name);
    to.put32be(to.attribute(k.NFTA_TABLE_FLAGS, 4), over.flags ?? 0);
    to.end();
  };
}
const ours = table('causeway-4793');

/** A rule as another program writes it. */
const foreignRule = (chain: string, tableName = 'causeway-4793'): Encode => {
  return (to) => {
    to.begin(k.NFT_MSG_NEWRULE);
    to.put8(to.struct(k.nfgenmsg), k.NFPROTO_INET);
    to.string(k.NFTA_RULE_TABLE, tableName);
    to.string(k.NFTA_RULE_CHAIN, chain);
    to.end();
  };
};

function socketOf(socket: ScriptedSocket): (protocol: number) => ScriptedSocket {
  return (protocol) => {
    expect(protocol).toBe(NETLINK_NETFILTER);
    return socket;
  };
}

async function found(...answers: readonly Answer[]) {
  const socket = new ScriptedSocket(...answers);
  const guards = await portGuard.real.read?.({ socket: socketOf(socket) } as unknown as Reading);
  return { guards: [...(guards ?? [])], requests: socket.requests };
}

describe('a guard', () => {
  it('is a transaction of two chains with a rule each, in the place of all that the table had', () => {
    const bytes = bytesOf([setGuard(port)]);
    const reader = new MessageReader(bytes);
    const types: number[] = [];
    while (reader.next()) types.push(reader.type);
    expect(types).toEqual([
      ...[k.NFNL_MSG_BATCH_BEGIN, k.NFT_MSG_NEWTABLE, k.NFT_MSG_DELTABLE, k.NFT_MSG_NEWTABLE],
      ...[k.NFT_MSG_NEWCHAIN, k.NFT_MSG_NEWCHAIN, k.NFT_MSG_NEWRULE, k.NFT_MSG_NEWRULE, k.NFNL_MSG_BATCH_END],
    ]);
    expect(Buffer.from(bytes).includes(guardComment)).toBe(true);
  });

  it.each([
    ['portGuard.set', setGuard(port)],
    ['portGuard.delete', deleteGuard(port)],
  ] as const)('is written by one transaction: %s', async (op, transaction) => {
    const socket = new ScriptedSocket();
    if (!('apply' in portGuard.real)) throw new Error('ops of this kind are applied one by one');
    const to = { socket: (_: NetnsPath, protocol: number) => socketOf(socket)(protocol) } as unknown as Writing;
    await portGuard.real.apply(to, { op, netns: hostNetns, port });
    expect(socket.requests).toEqual([bytesOf([transaction])]);
  });

  it.each<[string, readonly Answer[], readonly unknown[]]>([
    ['whole', [[ours], rules], [[port, 'whole']]],
    ['without a rule', [[ours], [input]], [[port, 'changed']]],
    ['without any', [[ours], []], [[port, 'changed']]],
    ['with a rule that another program has changed', [[ours], [input, foreignRule('output')]], [[port, 'changed']]],
    ['with a rule more', [[ours], [foreignRule('output'), input, output]], [[port, 'changed']]],
    ['with one rule twice', [[ours], [input, input]], [[port, 'changed']]],
    ['whose hooks are asleep', [[table('causeway-4793', { flags: 1 })], rules], [[port, 'changed']]],
    [
      'beside tables of other programs',
      [
        [table('filter'), ours],
        [...rules, foreignRule('input', 'x')],
      ],
      [[port, 'whole']],
    ],
    ['that is none: another name', [[table('causeway-04793'), table('causeway-'), table('causeway-x')]], []],
    ['that is none: another family', [[table('causeway-4793', { family: 2 })]], []],
    ['that is not there', [[]], []],
  ])('%s', async (_, answers, guards) => {
    expect((await found(...answers)).guards).toEqual(guards);
  });

  it('asks only for rules of our tables', async () => {
    expect((await found([table('filter'), ours], rules)).requests).toEqual([
      bytesOf([dumpTables]),
      bytesOf([dumpRules(port)]),
    ]);
  });

  it.each(['EPROTONOSUPPORT', 'EINVAL', 'EOPNOTSUPP'])('is absent on a kernel without nftables: %s', async (errno) => {
    expect((await found(errno)).guards).toEqual([]);
  });

  it('is not taken for absent when the kernel does not answer', async () => {
    await expect(found('ENOBUFS')).rejects.toBeInstanceOf(KernelError);
  });
});

describe('a notification', () => {
  const concerns = (encode: Encode): boolean => {
    const message = received(encode);
    return portGuard.real.events?.get(message.type)?.(message) !== false;
  };
  const inSet: Encode = (to) => {
    to.begin((k.NFNL_SUBSYS_NFTABLES << 8) | 12);
    to.put8(to.struct(k.nfgenmsg), k.NFPROTO_INET);
    to.string(1, 'causeway-4793');
    to.end();
  };
  const generation: Encode = (to) => {
    to.begin((k.NFNL_SUBSYS_NFTABLES << 8) | 15);
    to.struct(k.nfgenmsg);
    to.end();
  };

  it.each<[string, Encode, boolean]>([
    ['of our table', ours, true],
    ['of a rule of ours', input, true],
    ['of a rule in a table of another program', foreignRule('input', 'filter'), false],
    ['of a table of another program', table('filter'), false],
    ['of a set', inSet, false],
    ['of each transaction', generation, false],
  ])('%s', (_, encode, isOurs) => {
    expect(concerns(encode)).toBe(isOurs);
  });
});

it('is printed as the command that does the same', () => {
  const netns = '/run/netns/web' as NetnsPath;
  expect(portGuard.print({ op: 'portGuard.delete', netns, port })).toBe(
    "ip netns exec web nft 'delete table inet causeway-4793'",
  );
  expect(portGuard.print({ op: 'portGuard.set', netns: hostNetns, port })).toContain(
    'add rule inet causeway-4793 output udp dport 4793 rt ipsec missing drop comment "causeway: encrypted networks"',
  );
});
