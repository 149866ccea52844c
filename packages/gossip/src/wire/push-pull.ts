import { type Bytes, concat } from './bytes.ts';
import { maxMeta, maxName, maxNodes, maxStream } from './limits.ts';
import { isNode } from './message.ts';
import { type } from './message-type.ts';
import { MsgpackReader } from './msgpack-reader.ts';
import { MsgpackWriter } from './msgpack-writer.ts';
import { type Decoded, decoded, refused } from './refusal.ts';
import { bool, raw, struct, text, uint } from './struct.ts';
import { versionsLength } from './vsn.ts';

/** In the order of their numbers on the wire. */
const states = ['alive', 'suspect', 'dead', 'left'] as const;
export type State = (typeof states)[number];

/** What one node knows of another. */
export interface NodeState {
  readonly name: string;
  readonly addr: Bytes;
  readonly port: number;
  readonly meta: Bytes;
  readonly incarnation: number;
  readonly state: State;
  readonly vsn: Bytes;
}

/** All that a node knows: both ends of a push/pull send this. */
export interface PushPull {
  readonly type: 'pushPull';
  /** The sender joins by this exchange. */
  readonly join: boolean;
  readonly nodes: readonly NodeState[];
  /** The application's state; empty where it has none. */
  readonly userState: Bytes;
}

export const pushPullHeader = struct({ Nodes: uint(maxNodes), UserStateLen: uint(maxStream), Join: bool });

const nodeStruct = struct({
  Name: text(maxName),
  Addr: raw(16),
  Port: uint(0xff_ff),
  Meta: raw(maxMeta),
  Incarnation: uint(0xff_ff_ff_ff),
  State: uint(0xff),
  Vsn: raw(versionsLength),
});

/** The message with its type byte. */
export function encodePushPull({ join, nodes, userState }: PushPull): Bytes {
  const to = new MsgpackWriter();
  to.byte(type.pushPull);
  pushPullHeader.write(to, { nodes: nodes.length, userStateLen: userState.length, join });
  for (const node of nodes) nodeStruct.write(to, { ...node, state: states.indexOf(node.state) });
  return concat(to.done(), userState);
}

/** Entries that no correct node sends are left out: one bad entry must not hide the others. */
export function decodePushPull(bytes: Bytes): Decoded<PushPull> {
  const from = new MsgpackReader(bytes, 1);
  const header = pushPullHeader.read(from);
  const nodes: NodeState[] = [];
  for (let left = header.nodes; left > 0 && !from.failed; left--) {
    const { state: number, ...node } = nodeStruct.read(from);
    const state = states[number];
    if (state !== undefined && isNode(node.name, node)) nodes.push({ ...node, state });
  }
  if (from.failed) return refused('malformed');
  const userState = bytes.subarray(from.at, from.at + header.userStateLen);
  if (userState.length < header.userStateLen) return refused('truncated');
  return decoded({ type: 'pushPull', join: header.join, nodes, userState });
}
