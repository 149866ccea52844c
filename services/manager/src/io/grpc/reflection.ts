import { fileDescriptors } from '@causeway/proto/io';
import type { AnyDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

/** What tools that know nothing of us ask to be able to call us (grpc.reflection.v1 and v1alpha). */
export function createReflection(services: readonly string[]): ReflectionService {
  const protocol: AnyDefinition = {
    format: 'Protocol Buffer 3 DescriptorProto',
    type: {},
    fileDescriptorProtos: fileDescriptors().map((file) => Buffer.from(file)),
    serialize: never,
    deserialize: never,
  };
  return new ReflectionService({ protocol }, { services: [...services] });
}

/** Reflection reads the files of a definition and nothing else of it. */
function never(): never {
  throw new TypeError('a definition for reflection only');
}
