// Generates proto/gen from proto/**/*.proto with buf and the protobuf-ts plugin. Then adds the file extension that
// ECMAScript modules need to relative imports, and makes servers use our own writer. For etcd's API, which we only
// call, server code is removed. The descriptors of the other files, and of grpc.health.v1, are for server reflection.
// With --check it changes nothing, and exits 1 if the committed files differ.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const gen = join(root, 'proto/gen');
const check = process.argv.includes('--check');

/** A FileDescriptorSet. Two sets, one after the other, are one set (protobuf encoding: repeated fields are appended). */
const descriptors = (input, ...options) =>
  execFileSync(
    join(root, 'node_modules/.bin/buf'),
    ['build', input, ...options, '--as-file-descriptor-set', '--exclude-source-info', '-o', '-'],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );

const files = (dir) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

/** Makes servers write their answers with our own writer (proto/convert/message-writer.ts). */
const withWriter = (text) =>
  text
    .replace(/(responseSerialize: .*\.toBinary\(value)\)/g, '$1, written)')
    .replace(/^(?=import )/m, 'import { written } from "@causeway/proto";\n');

const out = mkdtempSync(join(tmpdir(), 'genproto-'));
try {
  execFileSync(join(root, 'node_modules/.bin/buf'), ['generate', '-o', out], { cwd: root, stdio: 'inherit' });
  const fresh = join(out, 'proto/gen');
  for (const file of files(join(fresh, 'etcd'))) if (file.includes('.grpc-server.')) rmSync(file);
  for (const file of files(fresh)) {
    const text = readFileSync(file, 'utf8').replace(/(from "\.{1,2}\/[^"]+?)(?:\.js)?";/g, '$1.js";');
    writeFileSync(file, file.endsWith('.grpc-server.js') ? withWriter(text) : text);
  }
  writeFileSync(
    join(fresh, 'descriptors.binpb'),
    Buffer.concat([
      descriptors('.', '--exclude-path', 'proto/etcd'),
      descriptors('node_modules/grpc-health-check/proto'),
    ]),
  );
  if (check) {
    const seen = (dir) => new Map(files(dir).map((file) => [relative(dir, file), readFileSync(file, 'latin1')]));
    const [want, have] = [seen(fresh), seen(gen)];
    const stale = [...new Set([...want.keys(), ...have.keys()])].filter((name) => want.get(name) !== have.get(name));
    if (stale.length > 0) {
      console.error(`generated code is stale, run "npm run proto": ${stale.join(', ')}`);
      process.exitCode = 1;
    }
  } else {
    rmSync(gen, { recursive: true, force: true });
    cpSync(fresh, gen, { recursive: true });
  }
} finally {
  rmSync(out, { recursive: true, force: true });
}
