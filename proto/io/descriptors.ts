import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { BinaryReader } from '@protobuf-ts/runtime';

/**
 * Every file of the protocol and grpc.health.v1 as an encoded FileDescriptorProto, just as buf built them: what server
 * reflection hands out. (Descriptors that proto-loader makes up from sources merge files and misname map entries.)
 */
export function fileDescriptors(): readonly Uint8Array[] {
  const reader = new BinaryReader(
    readFileSync(createRequire(import.meta.url).resolve('@causeway/proto/gen/descriptors.binpb')),
  );
  const files: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    reader.tag(); // FileDescriptorSet has the one field
    files.push(reader.bytes());
  }
  return files;
}
