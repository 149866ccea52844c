// Type-checks every ```ts block of the READMEs and docs against the current workspaces. A block that begins with
// "// name.ts" is a file of that name, which other blocks of its page may import.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, '.cache/snippets');
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean);
let count = 0;
for (const page of pages) {
  const text = readFileSync(join(root, page), 'utf8');
  for (const [i, match] of [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].entries()) {
    const directory = join(out, page.replaceAll(/[^A-Za-z0-9]+/g, '-'));
    mkdirSync(directory, { recursive: true });
    const [, name = `${i}.ts`] = /^\/\/ (\S+\.ts)$/m.exec(match[1].split('\n', 1)[0]) ?? [];
    writeFileSync(join(directory, name), `${match[1]}\nexport {};\n`);
    count++;
  }
}
const options = { noEmit: true, composite: false, allowImportingTsExtensions: true, noUnusedLocals: false };
const config = {
  extends: '../../tsconfig.base.json',
  compilerOptions: { ...options, customConditions: ['source'] },
  include: ['**/*.ts'],
};
writeFileSync(join(out, 'tsconfig.json'), JSON.stringify(config));
if (count > 0) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const result = spawnSync(process.execPath, [tsc, '-p', out], { cwd: root, stdio: 'inherit' });
  process.exitCode = result.status ?? 1;
}
console.log(`${count} snippets in ${pages.length} pages`);
