import { type Encode, type MessageReader, type MessageWriter, NLM_F_CREATE, NLM_F_DUMP } from '@causeway/netlink';
import { guardedPort, guardTable } from '../owner.ts';
import * as k from './nftables-constants.ts';
import { viewOf } from './xfrm-bytes.ts';
import { IPPROTO_UDP } from './xfrm-constants.ts';

/** A chain of a guard. */
export interface GuardChain {
  readonly name: 'input' | 'output';
  readonly hook: number;
  /** Tells whether IPsec protects the packet: 0, it does not. */
  readonly expression: 'meta' | 'rt';
  readonly key: number;
  /** The same as nft(8) writes it. */
  readonly condition: string;
}

/**
 * A packet that arrives comes to the input hook after its decapsulation, and then has a security path. What the host sends comes to
 * the output hook with its route, before ESP, and the route has the decision of the policies of IPsec.
 */
export const guardChains: readonly GuardChain[] = [
  {
    ...{ name: 'input', hook: k.NF_INET_LOCAL_IN },
    ...{ expression: 'meta', key: k.NFT_META_SECPATH, condition: 'meta secpath missing' },
  },
  {
    ...{ name: 'output', hook: k.NF_INET_LOCAL_OUT },
    ...{ expression: 'rt', key: k.NFT_RT_XFRM, condition: 'rt ipsec missing' },
  },
];

/** For people, who see it in `nft list ruleset`. A rule that another program has changed does not have it any more. */
export const guardComment = 'causeway: encrypted networks';
const [guardMark, udpDport] = [commentBytes(guardComment), 2] as const;

/** A rule of a table of ours. */
export interface FoundRule {
  readonly port: number;
  readonly chain: string;
  /** Whether it is as we write it. */
  readonly isMarked: boolean;
}

/** nft add table inet TABLE; delete table inet TABLE; add table inet TABLE; add chain …; add rule …: all of it, or nothing. */
export function setGuard(port: number): Encode {
  return (to) => {
    writeMark(to, k.NFNL_MSG_BATCH_BEGIN);
    // A table that exists is made again: it may have other chains and rules.
    writeTable(to, k.NFT_MSG_NEWTABLE, port, NLM_F_CREATE);
    writeTable(to, k.NFT_MSG_DELTABLE, port);
    writeTable(to, k.NFT_MSG_NEWTABLE, port, NLM_F_CREATE);
    for (const chain of guardChains) writeChain(to, port, chain);
    for (const chain of guardChains) writeRule(to, port, chain);
    commit(to);
  };
}

/** nft delete table inet TABLE */
export function deleteGuard(port: number): Encode {
  return (to) => {
    writeMark(to, k.NFNL_MSG_BATCH_BEGIN);
    writeTable(to, k.NFT_MSG_DELTABLE, port);
    commit(to);
  };
}

/** nft list tables inet */
export const dumpTables: Encode = (to) => {
  begin(to, k.NFT_MSG_GETTABLE, NLM_F_DUMP);
  to.end();
};

/** nft list table inet TABLE */
export function dumpRules(port: number): Encode {
  return (to) => {
    begin(to, k.NFT_MSG_GETRULE, NLM_F_DUMP);
    to.string(k.NFTA_RULE_TABLE, guardTable(port));
    to.end();
  };
}

/** The port of the guard that a message is about, be it about the table, a chain or a rule. undefined: it is about another table. */
export function portOf(message: MessageReader): number | undefined {
  if (message.u8(0) !== k.NFPROTO_INET) return undefined;
  const attributes = message.attributes(k.nfgenmsg);
  while (attributes.next()) if (attributes.type === k.NFTA_TABLE_NAME) return guardedPort(attributes.string());
  return undefined;
}

/** Whether the hooks of the table that the message describes are at work. */
export function isAtWork(message: MessageReader): boolean {
  const attributes = message.attributes(k.nfgenmsg);
  while (attributes.next()) {
    if (attributes.type !== k.NFTA_TABLE_FLAGS) continue;
    return (viewOf(attributes.slice()).getUint32(0) & k.NFT_TABLE_F_DORMANT) === 0;
  }
  return true;
}

/** undefined: the rule belongs to another table. */
export function readRule(message: MessageReader): FoundRule | undefined {
  const port = portOf(message);
  if (port === undefined) return undefined;
  let [chain, isMarked] = ['', false];
  const attributes = message.attributes(k.nfgenmsg);
  while (attributes.next()) {
    if (attributes.type === k.NFTA_RULE_CHAIN) chain = attributes.string();
    if (attributes.type === k.NFTA_RULE_USERDATA) isMarked = isSameBytes(attributes.slice(), guardMark);
  }
  return { port, chain, isMarked };
}

function writeTable(to: MessageWriter, type: number, port: number, flags = 0): void {
  begin(to, type, flags);
  to.string(k.NFTA_TABLE_NAME, guardTable(port));
  to.end();
}

function writeChain(to: MessageWriter, port: number, { name, hook }: GuardChain): void {
  begin(to, k.NFT_MSG_NEWCHAIN, NLM_F_CREATE);
  to.string(k.NFTA_CHAIN_TABLE, guardTable(port));
  to.string(k.NFTA_CHAIN_NAME, name);
  to.nest(k.NFTA_CHAIN_HOOK, () => {
    put32(to, k.NFTA_HOOK_HOOKNUM, hook);
    // That of filters: after programs that change addresses or marks, and so the route.
    put32(to, k.NFTA_HOOK_PRIORITY, 0);
  });
  put32(to, k.NFTA_CHAIN_POLICY, k.NF_ACCEPT);
  to.string(k.NFTA_CHAIN_TYPE, 'filter');
  to.end();
}

function writeRule(to: MessageWriter, port: number, { name, expression, key }: GuardChain): void {
  begin(to, k.NFT_MSG_NEWRULE, NLM_F_CREATE);
  to.string(k.NFTA_RULE_TABLE, guardTable(port));
  to.string(k.NFTA_RULE_CHAIN, name);
  to.nest(k.NFTA_RULE_EXPRESSIONS, () => {
    load(to, 'meta', k.NFT_META_L4PROTO);
    equals(to, [IPPROTO_UDP]);
    writeExpression(to, 'payload', () => {
      put32(to, k.NFTA_PAYLOAD_DREG, k.NFT_REG_1);
      put32(to, k.NFTA_PAYLOAD_BASE, k.NFT_PAYLOAD_TRANSPORT_HEADER);
      put32(to, k.NFTA_PAYLOAD_OFFSET, udpDport);
      put32(to, k.NFTA_PAYLOAD_LEN, 2);
    });
    equals(to, [port >> 8, port & 255]);
    load(to, expression, key);
    equals(to, [0]);
    writeExpression(to, 'immediate', () => {
      put32(to, k.NFTA_IMMEDIATE_DREG, k.NFT_REG_VERDICT);
      to.nest(k.NFTA_IMMEDIATE_DATA, () => {
        to.nest(k.NFTA_DATA_VERDICT, () => put32(to, k.NFTA_VERDICT_CODE, k.NF_DROP));
      });
    });
  });
  putBytes(to, k.NFTA_RULE_USERDATA, guardMark);
  to.end();
}

function load(to: MessageWriter, expression: GuardChain['expression'], key: number): void {
  writeExpression(to, expression, () => {
    put32(to, k.NFTA_LOAD_KEY, key);
    put32(to, k.NFTA_LOAD_DREG, k.NFT_REG_1);
  });
}

/** Ends the rule for packets with another value in the register. */
function equals(to: MessageWriter, value: readonly number[]): void {
  writeExpression(to, 'cmp', () => {
    put32(to, k.NFTA_CMP_SREG, k.NFT_REG_1);
    put32(to, k.NFTA_CMP_OP, k.NFT_CMP_EQ);
    to.nest(k.NFTA_CMP_DATA, () => putBytes(to, k.NFTA_DATA_VALUE, Uint8Array.from(value)));
  });
}

function writeExpression(to: MessageWriter, name: string, data: () => void): void {
  to.nest(k.NFTA_LIST_ELEM, () => {
    to.string(k.NFTA_EXPR_NAME, name);
    to.nest(k.NFTA_EXPR_DATA, data);
  });
}

/** Begins a message about tables for IP. */
function begin(to: MessageWriter, type: number, flags = 0): void {
  to.begin(type, flags);
  to.put8(to.struct(k.nfgenmsg), k.NFPROTO_INET);
}

/** The message that begins or ends a transaction. */
function writeMark(to: MessageWriter, type: number): void {
  to.begin(type);
  to.put16be(to.struct(k.nfgenmsg) + 2, k.NFNL_SUBSYS_NFTABLES);
  to.end();
}

/** Asks for the ack of the last change: older kernels send none for the end of a transaction. */
function commit(to: MessageWriter): void {
  to.acknowledge();
  writeMark(to, k.NFNL_MSG_BATCH_END);
}

function put32(to: MessageWriter, type: number, value: number): void {
  to.put32be(to.attribute(type, 4), value);
}

function putBytes(to: MessageWriter, type: number, bytes: Uint8Array): void {
  to.buffer.set(bytes, to.attribute(type, bytes.length));
}

function commentBytes(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(`${text}\0`);
  return Uint8Array.of(k.NFTNL_UDATA_RULE_COMMENT, bytes.length, ...bytes);
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, n) => byte === b[n]);
}
