import { KernelError, type MessageReader, NETLINK_NETFILTER } from '@causeway/netlink';
import { guardTable, isOurLink } from '../owner.ts';
import type { NetnsPath } from '../state.ts';
import {
  deleteGuard,
  dumpRules,
  dumpTables,
  type FoundRule,
  guardChains,
  guardComment,
  isAtWork,
  portOf,
  readRule,
  setGuard,
} from '../wire/nftables.ts';
import * as k from '../wire/nftables-constants.ts';
import { compareMaps } from './compare-maps.ts';
import type { Kind, Reading } from './kind.ts';
import { byKey, describeDifference, inside } from './printing.ts';

/** "changed": another program has changed the table. It is found, and never desired. */
export type PortGuard = 'whole' | 'changed';

/** "set" makes the table, or makes it anew, in one step. */
export type PortGuardOp = {
  readonly op: 'portGuard.set' | 'portGuard.delete';
  readonly netns: NetnsPath;
  readonly port: number;
};

/**
 * Drops what the host sends to a UDP port, and what arrives at the port, unless IPsec protects it: a table of nftables. It does not
 * depend on the policies of IPsec, which say the same: one command of another program removes only one of the two.
 */
export const portGuard: Kind<'port guard', number, PortGuard, PortGuardOp> = {
  name: 'port guard',
  slot: 'portGuards',
  ops: ['portGuard.set', 'portGuard.delete'],
  isOfHost: true,
  stage: 'entry',
  compare: (found, desired) => compareMaps(found?.portGuards, desired?.portGuards),
  isOurs: isOurLink,
  describe: (difference) => ({ key: `UDP port ${difference.key}`, ...describeDifference(difference) }),
  list: ({ portGuards }) =>
    [...portGuards]
      .map(([port, guard]) => [`${port}`, guard] as const)
      .sort(byKey)
      .map(([port, guard]) => `nft table inet ${guardTable(Number(port))} ${guard}`),

  steps: (netns, { key: port, desired }) =>
    desired === undefined
      ? [['unblock', { op: 'portGuard.delete', netns, port }]]
      : [['block', { op: 'portGuard.set', netns, port }]],
  print({ op, netns, port }) {
    const table = `table inet ${guardTable(port)}`;
    const commands = op === 'portGuard.delete' ? [`delete ${table}`] : commandsOf(port, table);
    return `${inside(netns)}nft '${commands.join('; ')}'`;
  },
  device: () => undefined,
  /** It protects, and disturbs only what must not be. */
  additive: (op) => (op.op === 'portGuard.set' ? op : undefined),

  real: {
    protocol: NETLINK_NETFILTER,
    groups: [k.NFNLGRP_NFTABLES],
    events: new Map(k.allMessages.map((type) => [type, changesGuard])),
    read: readGuards,
    apply(to, { op, netns, port }) {
      to.socket(netns, NETLINK_NETFILTER).transaction(op === 'portGuard.set' ? setGuard(port) : deleteGuard(port));
    },
  },
};

function commandsOf(port: number, table: string): readonly string[] {
  return [
    ...[`add ${table}`, `delete ${table}`, `add ${table}`],
    ...guardChains.map(
      ({ name }) =>
        `add chain inet ${guardTable(port)} ${name} { type filter hook ${name} priority 0; policy accept; }`,
    ),
    ...guardChains.map(
      ({ name, condition }) =>
        `add rule inet ${guardTable(port)} ${name} udp dport ${port} ${condition} drop comment "${guardComment}"`,
    ),
  ];
}

/** Types of messages that are about a table, or about what our tables have: chains and rules. */
const aboutGuards: ReadonlySet<number> = new Set([
  ...[k.NFT_MSG_NEWTABLE, k.NFT_MSG_DELTABLE, k.NFT_MSG_NEWCHAIN, k.NFT_MSG_DELCHAIN],
  ...[k.NFT_MSG_NEWRULE, k.NFT_MSG_DELRULE],
]);

/** Other programs change sets and rules all the time. */
function changesGuard(message: MessageReader): boolean {
  return aboutGuards.has(message.type) && portOf(message) !== undefined;
}

/** Errnos that mean: this kernel has no nftables, or not for IP. */
const hasNone: ReadonlySet<string> = new Set(['EPROTONOSUPPORT', 'EINVAL', 'EOPNOTSUPP', 'EAFNOSUPPORT']);

async function readGuards(from: Reading): Promise<ReadonlyMap<number, PortGuard>> {
  const found = new Map<number, PortGuard>();
  for (const [port, isWorking] of await readTables(from)) {
    const rules = await from.socket(NETLINK_NETFILTER).dump(
      dumpRules(port),
      () => [] as FoundRule[],
      (all, message) => {
        const rule = readRule(message);
        if (rule?.port === port) all.push(rule);
      },
    );
    found.set(port, isWorking && isWhole(rules) ? 'whole' : 'changed');
  }
  return found;
}

/** The ports of our tables, and whether their hooks are at work. */
async function readTables({ socket }: Reading): Promise<ReadonlyMap<number, boolean>> {
  try {
    return await socket(NETLINK_NETFILTER).dump(
      dumpTables,
      () => new Map<number, boolean>(),
      (tables, message) => {
        const port = portOf(message);
        if (port !== undefined) tables.set(port, isAtWork(message));
      },
    );
  } catch (error) {
    if (error instanceof KernelError && hasNone.has(error.errno)) return new Map();
    throw error;
  }
}

/** One rule of ours in each chain, and no other. */
function isWhole(rules: readonly FoundRule[]): boolean {
  const isThere = ({ name }: (typeof guardChains)[number]): boolean =>
    rules.some(({ chain, isMarked }) => isMarked && chain === name);
  return rules.length === guardChains.length && guardChains.every(isThere);
}
