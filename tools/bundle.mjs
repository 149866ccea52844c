// Bundles each program into one file. What a bundle cannot contain (native code, descriptors) is put beside it:
//   dist/lib/causeway/causeway.mjs, causeway-agent.mjs, causeway-manager.mjs, node_modules/, THIRD-PARTY-LICENSES
//   dist/bin/causeway, causeway-agent, causeway-manager -> ../lib/causeway/*.mjs
// dist/ runs on any host with Node, without npm and without this clone. docs/decisions/0011-bundles.md says why.
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const lib = join(root, 'dist/lib/causeway');
const bin = join(root, 'dist/bin');

const programs = {
  causeway: 'services/ctl/src/main.ts',
  'causeway-agent': 'services/agent/src/main.ts',
  'causeway-manager': 'services/manager/src/main.ts',
};

/** Files that programs load at run time, by their path below node_modules: koffi's native code, and protocol descriptors. */
const loaded = [
  'koffi/package.json',
  'koffi/index.js',
  'koffi/src/koffi/index.js',
  'koffi/src/koffi/src/static.js',
  ...['package.json', 'index.js', `linux_${process.arch}`].map(
    (path) => `@koromix/koffi-linux-${process.arch}/${path}`,
  ),
  '@causeway/proto/package.json',
  '@causeway/proto/gen/descriptors.binpb',
  'grpc-health-check/proto',
  '@grpc/reflection/build/proto/grpc',
];

rmSync(join(root, 'dist'), { recursive: true, force: true });
/** Directories of all packages that are part of a program. */
const packages = new Set([join(root, 'node_modules/koffi')]);
for (const [name, entry] of Object.entries(programs)) await bundle(name, join(root, entry));
for (const path of loaded) {
  const options = { recursive: true, dereference: true };
  cpSync(join(root, 'node_modules', path), join(lib, 'node_modules', path), options);
}
writeFileSync(join(lib, 'THIRD-PARTY-LICENSES'), [...new Set([...packages].map(licenceOf))].sort().join('\n'));

async function bundle(name, input) {
  const build = await rolldown({
    input,
    platform: 'node',
    external: ['koffi'],
    // The conditions "import" and "require" are added according to how a module is loaded.
    resolve: { conditionNames: ['source', 'node'] },
    plugins: [{ name: 'directory-of-package', transform: { filter: { code: /\b__dirname\b/ }, handler: keepPlaces } }],
    logLevel: 'warn',
  });
  const file = join(lib, `${name}.mjs`);
  const banner = 'const programDirectory = import.meta.dirname;';
  const { output } = await build.write({ file, format: 'esm', codeSplitting: false, banner });
  await build.close();
  chmodSync(file, 0o755);
  mkdirSync(bin, { recursive: true });
  symlinkSync(`../lib/causeway/${name}.mjs`, join(bin, name));
  for (const id of output[0].moduleIds) {
    const found = /.*node_modules\/(@[^/]+\/)?[^/]+/.exec(id)?.[0];
    if (found !== undefined) packages.add(found);
  }
}

/** Makes a module that reads files beside itself find them below the program's own node_modules. */
function keepPlaces(code, id) {
  const place = id.lastIndexOf('node_modules/');
  if (place < 0) return null;
  const directory = posix.dirname(id.slice(place));
  return { code: `const __dirname = programDirectory + '/${directory}';${code}`, map: null };
}

function licenceOf(directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? '' : `\n${readFileSync(join(directory, file), 'utf8')}`;
  return `== ${name} ${version} (${license})${text}`;
}
