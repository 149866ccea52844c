import * as agentService from '@causeway/proto/gen/causeway/v1/agent_service.js';
import * as clusterService from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import * as endpointService from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import * as ipamService from '@causeway/proto/gen/causeway/v1/ipam_service.js';
import * as networkService from '@causeway/proto/gen/causeway/v1/network_service.js';
import * as nodeService from '@causeway/proto/gen/causeway/v1/node_service.js';
import * as sessionService from '@causeway/proto/gen/causeway/v1/session_service.js';
import { BinaryWriter, MessageType } from '@protobuf-ts/runtime';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MessageType as AnyType, anyMessage } from '../testing/index.ts';
import { written } from './message-writer.ts';

const services = [
  agentService,
  clusterService,
  endpointService,
  ipamService,
  networkService,
  nodeService,
  sessionService,
];
const types = services
  .flatMap((service): unknown[] => Object.values(service))
  .filter((type): type is MessageType<object> => type instanceof MessageType) as unknown as readonly AnyType[];

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('a message is the same bytes as the library’s', () => {
  test.each(types.map((type) => [type.typeName, type] as const))('%s', (_, type) => {
    fc.assert(
      fc.property(anyMessage(type, ['ä', '☃', '😀', 'x'.repeat(2_000)]), (message) => {
        expect(hex(type.toBinary(message, written))).toBe(hex(type.toBinary(message)));
      }),
      { numRuns: 20 },
    );
  });
});

test('so is every kind of value', () => {
  const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const unsigned = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const int = fc.integer();
  const natural = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(long, unsigned, int, natural, fc.float(), fc.double(), (i64, u64, i32, u32, float, double) => {
      const [ours, library] = [written.writerFactory(), new BinaryWriter()].map((writer) =>
        writer
          .fork()
          .int64(i64)
          .uint64(u64)
          .sint64(i64)
          .fixed64(u64)
          .sfixed64(i64)
          .int32(i32)
          .uint32(u32)
          .sint32(i32)
          .fixed32(u32)
          .sfixed32(i32)
          .float(float)
          .double(double)
          .bool(true)
          .join()
          .finish(),
      );
      expect(hex(ours as Uint8Array)).toBe(hex(library as Uint8Array));
    }),
  );
});

test.each([0, 126, 127, 128, 1022, 1023, 1024, 16_383, 16_384, 3_000_000])(
  'so are nested messages around %i bytes',
  (size) => {
    const [ours, library] = [written.writerFactory(), new BinaryWriter()].map((writer) =>
      writer.fork().fork().bytes(new Uint8Array(size)).join().string('end').join().finish(),
    );
    expect(hex(ours as Uint8Array)).toBe(hex(library as Uint8Array));
  },
);
