import fc from 'fast-check';
import type { Message } from '../wire/message.ts';
import type { NodeState, PushPull } from '../wire/push-pull.ts';
import type { StreamMessage } from '../wire/stream.ts';
import { writeVersions } from '../wire/vsn.ts';

const uint32 = fc.integer({ min: 0, max: 0xff_ff_ff_ff });
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
const port = fc.integer({ min: 1, max: 0xff_ff });
const address = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);
const vsn = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 3, max: 5 }))
  .map(([min, max]) =>
    writeVersions({ protocol: { min, max, current: max }, delegate: { min: 2, max: 5, current: 5 } }),
  );
const source = {
  sourceAddr: fc.oneof(address, fc.constant(new Uint8Array())),
  sourcePort: fc.oneof(port, fc.constant(0)),
  sourceNode: fc.oneof(name, fc.constant('')),
};
const accusation = { incarnation: uint32, node: name, from: name };
const node = { addr: address, port, meta: bytes(512), incarnation: uint32, vsn };

const view = fc.oneof(fc.constant(new Uint8Array()), fc.uint8Array({ minLength: 8, maxLength: 8 }));
const ping = fc.record({ type: fc.constant('ping' as const), seqNo: uint32, node: name, ...source, view });
const ack = fc.record({ type: fc.constant('ack' as const), seqNo: uint32, payload: bytes(200), view });
const user = fc.record({ type: fc.constant('user' as const), payload: bytes(2000) });

export const message: fc.Arbitrary<Message> = fc.oneof(
  ping,
  ack,
  user,
  fc.record({
    type: fc.constant('indirectPing' as const),
    seqNo: uint32,
    target: address,
    port: fc.integer({ min: 0, max: 0xff_ff }),
    node: name,
    nack: fc.boolean(),
    ...source,
  }),
  fc.record({ type: fc.constant('nack' as const), seqNo: uint32 }),
  fc.record({ type: fc.constant('suspect' as const), ...accusation }),
  fc.record({ type: fc.constant('dead' as const), ...accusation }),
  fc.record({ type: fc.constant('alive' as const), node: name, ...node }),
);

const nodeState: fc.Arbitrary<NodeState> = fc.record({
  name,
  state: fc.constantFrom('alive' as const, 'suspect' as const, 'dead' as const, 'left' as const),
  ...node,
});

export const pushPull: fc.Arbitrary<PushPull> = fc.record({
  type: fc.constant('pushPull' as const),
  join: fc.boolean(),
  nodes: fc.array(nodeState, { maxLength: 20 }),
  userState: bytes(3000),
});

export const streamMessage: fc.Arbitrary<StreamMessage> = fc.oneof(
  ping,
  ack,
  user,
  pushPull,
  fc.record({ type: fc.constant('error' as const), error: fc.string({ unit: 'grapheme', maxLength: 100 }) }),
);
