import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { BinaryReader } from '@protobuf-ts/runtime';

/**
 * All files of the protocol and of grpc.health.v1, each an encoded FileDescriptorProto as built by buf. Server reflection
 * returns them. (Descriptors that proto-loader makes from sources merge files and misname map entries.)
 */
export function fileDescriptors(): readonly Uint8Array[] {
  const reader = new BinaryReader(
    readFileSync(createRequire(import.meta.url).resolve('@causeway/proto/gen/descriptors.binpb')),
  );
  const files: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    reader.tag(); // FileDescriptorSet has only one field
    files.push(reader.bytes());
  }
  return files;
}
