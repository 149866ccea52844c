// Tests that biome.json refuses what it must refuse. Each example below is a file at that place with that one line, in
// a copy of the repository's package.json files. Lint must refuse exactly the examples that name a rule.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'causeway-import-rules-'));

/** The rule that refuses a package which package.json does not name: it enforces the direction of imports. */
const direction = 'noUndeclaredDependencies';
const rule = 'noRestrictedImports';
const global = 'noRestrictedGlobals';

/** [place, import or statement, the rule that refuses it; undefined: allowed] */
const examples = [
  ['packages/model/src', '@causeway/runtime', direction],
  ['packages/model/src/x.test.ts', '@causeway/runtime/testing', direction],
  ['packages/runtime/src/io', '@causeway/model', direction],
  ['packages/datapath/src', '@causeway/proto', direction],
  ['packages/identity/src/io', '@causeway/proto/io', direction],
  ['packages/identity/src/io', '@causeway/datapath', direction],
  ['packages/datapath/src', '@causeway/encryption', direction],
  ['packages/gossip/src/io', '@causeway/model', direction],
  ['packages/gossip/src/x.test.ts', '@causeway/runtime/testing', direction],
  ['packages/identity/src', '@causeway/encryption', direction],
  ['packages/encryption/src', '@causeway/proto', direction],
  ['packages/gossip/src', '@causeway/tables', direction],
  ['packages/tables/src', 'memberlist-ts/core', direction],
  ['packages/tables/src', '@causeway/datapath', direction],
  ['packages/datapath/src/io', '@causeway/ctl/io', direction],
  ['packages/datapath/src/io', '@causeway/lab/io', direction],
  ['packages/lab/src/io', '@causeway/ctl', direction],
  ['packages/lab/src/io', '@causeway/manager', direction],
  ['proto/io', '@causeway/datapath', direction],
  ['proto/convert', '@causeway/lab', direction],
  ['services/manager/src/io', '@causeway/agent', direction],
  ['services/manager/src/io', '@causeway/datapath/io', direction],
  ['services/manager/src/x.test.ts', '@causeway/agent/testing', direction],
  ['services/manager/src/io', '@causeway/lab/io', direction],
  ['services/agent/src/io', '@causeway/manager', direction],
  ['services/agent/src/x.test.ts', '@causeway/manager/testing', direction],
  ['services/agent/src', 'vitest', direction],
  ['services/manager/src', 'memberlist-ts/core', direction],
  ['services/agent/src/io', 'etcd3', direction],
  ['services/ctl/src/io', '@causeway/manager', direction],
  ['services/ctl/src/io', '@causeway/agent/testing', direction],
  ['services/ctl/src/lab', '@causeway/simulator', direction],
  ['test/simulator/src', '@causeway/demo', direction],
  ['test/chaos/src', '@causeway/manager', direction],
  ['test/bench/src', '@causeway/agent', direction],
  ['test/demo/src', '@causeway/manager', direction],
  ['e2e/x.e2e.ts', '@causeway/manager', direction],

  ['services/manager/src/io', '../../../agent/src/agent.ts', rule],
  ['services/ctl/src/io', '../../../manager/dist/main.js', rule],
  ['services/agent/src/io', '../../../../proto/io/call.ts', rule],
  ['test/demo/src/io', '../../../simulator/src/cluster.ts', rule],
  ['e2e/x.e2e.ts', '../services/ctl/src/main.ts', rule],
  ['packages/lab/src/io', '../../../../e2e/machine.ts', rule],

  ['packages/model/src', 'node:fs', rule],
  ['packages/lab/src', '@causeway/proto/io', rule],
  ['packages/datapath/src', 'koffi', rule],
  ['packages/datapath/src', './io/kernel.ts', rule],
  ['packages/identity/src', 'node:fs', rule],
  ['packages/identity/src', '@grpc/grpc-js', rule],
  ['packages/identity/src', './io/key-file.ts', rule],
  ['packages/identity/src', "import { randomBytes } from 'node:crypto';\nexport const bytes = randomBytes(1);", rule],
  [
    'packages/encryption/src',
    "import { generateKeyPairSync } from 'node:crypto';\nexport const make = generateKeyPairSync;",
    rule,
  ],
  ['packages/tables/src', "import { randomBytes } from 'node:crypto';\nexport const bytes = randomBytes(1);", rule],
  ['packages/gossip/src/wire', 'node:crypto', rule],
  ['proto/convert', '@grpc/grpc-js', rule],
  ['proto/convert', '../io/call.ts', rule],
  ['proto/failover', 'node:timers', rule],
  ['services/manager/src/store', 'etcd3', rule],
  ['services/agent/src', '@causeway/runtime/io', rule],
  ['services/ctl/src/commands', '@causeway/lab/io', rule],
  ['services/ctl/src/commands', '../io/terminal.ts', rule],
  ['test/simulator/src', 'node:fs', rule],
  ['test/demo/src', './io/lab-stage.ts', rule],
  ['packages/runtime/src', 'export const now = Date.now();', global],
  ['proto/convert', 'export const bytes = Buffer.from("");', global],
  ['services/agent/src', 'export const name = process.title;', global],
  ['test/simulator/src', 'setTimeout(() => undefined, 1);', global],

  ['packages/lab/src', '@causeway/model'],
  ['packages/lab/src/io', '@causeway/proto/io'],
  ['packages/model/src/x.test.ts', 'vitest'],
  ['packages/identity/src', "import { createHash } from 'node:crypto';\nexport const hash = createHash('sha256');"],
  ['packages/identity/src/io', 'node:fs'],
  ['packages/runtime/src/io', 'node:fs'],
  ['proto/io', '@grpc/grpc-js'],
  ['proto/convert', '@causeway/model'],
  ['services/manager/src/main.ts', './io/etcd.ts'],
  ['services/manager/src/store/contract', 'vitest'],
  ['services/ctl/src/lab', '@causeway/lab'],
  ['services/ctl/src/io', '@causeway/lab/io'],
  ['services/agent/src/io', 'export const name = process.title;'],
  ['test/simulator/scenarios/x.test.ts', '../src/cluster.ts'],
  ['test/chaos/src', 'node:fs'],
  ['test/demo/src/io', '@causeway/lab/io'],
  ['e2e/x.e2e.ts', '@causeway/lab/io'],
].map(([place, line, refused], i) => {
  const path = place.endsWith('.ts') ? place.replace('x.', `x${i}.`) : `${place}/x${i}.ts`;
  const text = line.includes(' ') ? line : `import * as used from '${line}';\nexport const keys = Object.keys(used);`;
  return { path, line, text, refused };
});

const manifests = execFileSync('git', ['ls-files', '*package.json'], { cwd: root, encoding: 'utf8' }).split('\n');
for (const file of ['biome.json', ...manifests.filter(Boolean)]) {
  mkdirSync(dirname(join(copy, file)), { recursive: true });
  copyFileSync(join(root, file), join(copy, file));
}
for (const { path, text } of examples) {
  mkdirSync(dirname(join(copy, path)), { recursive: true });
  writeFileSync(join(copy, path), `${text}\n`);
}
const biome = join(root, 'node_modules/.bin/biome');
const { stdout, stderr } = spawnSync(biome, ['lint', '--reporter=json', '--max-diagnostics=none', '.'], {
  cwd: copy,
  encoding: 'utf8',
  maxBuffer: 1 << 26,
});
const found = JSON.parse(stdout).diagnostics.map(({ category, location }) => ({
  rule: category.split('/').at(-1),
  path: typeof location.path === 'string' ? location.path : location.path.file,
}));
let wrong = 0;
for (const { path, line, refused } of examples) {
  const by = found.filter((each) => each.path === path && [direction, rule, global].includes(each.rule));
  if (refused === undefined ? by.length === 0 : by.some((each) => each.rule === refused)) continue;
  wrong++;
  const said = by.map((each) => each.rule).join(', ') || 'nothing';
  console.error(`${path}: "${line}" is refused by ${said}, and should be by ${refused ?? 'nothing'}`);
}
if (found.length === 0) throw new Error(`lint found nothing at all: ${stderr}`);
rmSync(copy, { recursive: true, force: true });
console.log(`${examples.length} examples, ${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;
