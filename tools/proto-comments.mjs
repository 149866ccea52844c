// Checks that every service, rpc, message, field and enum value of proto/causeway has a comment: unit and meaning. Reads the
// descriptors that buf makes with source info, lists parts without comment, and exits 1 if there are any. A message that is
// only the request or response of an rpc needs none: the comment of the rpc describes it.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const json = execFileSync(
  join(root, 'node_modules/.bin/buf'),
  ['build', '.', '--path', 'proto/causeway', '--exclude-imports', '-o', '-#format=json'],
  { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 },
);

/** Field numbers of FileDescriptorProto and of the messages in it (google/protobuf/descriptor.proto): paths of comments. */
const inFile = { messageType: 4, enumType: 5, service: 6 };
const inMessage = { field: 2, nestedType: 3, enumType: 4 };

const { file: files } = JSON.parse(json);
const methods = files.flatMap(({ service = [] }) => service).flatMap(({ method = [] }) => method);
const ofMethods = new Set(methods.flatMap(({ inputType, outputType }) => [inputType, outputType]));

const missing = [];
let seen = 0;
for (const file of files) {
  const commented = new Set(
    (file.sourceCodeInfo?.location ?? [])
      .filter(({ leadingComments, trailingComments }) => (leadingComments ?? trailingComments ?? '').trim() !== '')
      .map(({ path }) => path.join('.')),
  );
  const want = (name, path) => {
    seen++;
    if (!commented.has(path.join('.'))) missing.push(`${file.name}: ${name}`);
  };
  const enumeration = (type, path, name) => {
    want(name, path);
    for (const [i, value] of type.value.entries()) want(`${name}.${value.name}`, [...path, 2, i]);
  };
  const message = (type, path, prefix) => {
    if (type.options?.mapEntry) return;
    const name = prefix + type.name;
    if (!ofMethods.has(`.${file.package}.${name}`)) want(name, path);
    for (const [i, field] of (type.field ?? []).entries()) want(`${name}.${field.name}`, [...path, inMessage.field, i]);
    for (const [i, nested] of (type.nestedType ?? []).entries())
      message(nested, [...path, inMessage.nestedType, i], `${name}.`);
    for (const [i, nested] of (type.enumType ?? []).entries())
      enumeration(nested, [...path, inMessage.enumType, i], `${name}.${nested.name}`);
  };
  for (const [i, type] of (file.messageType ?? []).entries()) message(type, [inFile.messageType, i], '');
  for (const [i, type] of (file.enumType ?? []).entries()) enumeration(type, [inFile.enumType, i], type.name);
  for (const [i, service] of (file.service ?? []).entries()) {
    want(service.name, [inFile.service, i]);
    for (const [j, method] of (service.method ?? []).entries())
      want(`${service.name}.${method.name}`, [inFile.service, i, 2, j]);
  }
}
if (seen === 0) throw new Error('no descriptors were found');
if (missing.length > 0) {
  console.error(`${missing.length} of ${seen} parts of the protocol have no comment that says unit and meaning:`);
  for (const line of missing) console.error(`  ${line}`);
  process.exitCode = 1;
}
