import { fileDescriptors } from '@causeway/proto/io';
import type { AnyDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

/** Reflection (grpc.reflection.v1 and v1alpha): generic tools ask for it so that they can call the managers. */
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

/** Reflection reads only the files of a definition. */
function never(): never {
  throw new TypeError('a definition for reflection only');
}
