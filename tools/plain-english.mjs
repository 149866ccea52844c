// Refuses words that CONTRIBUTING.md ("Plain English") excludes, in docs, in comments and in the help of the programs. Code, and
// text in double quotes, may contain them. CHANGELOG.md is history and exempt. docs/cli.md is generated: change the command instead.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const forbidden = /\b(?:whoever|nobody|somebody|(?:is|are) told of)\b/gi;
const beginsWithOf = /(?:^[ >|*-]*|[.!?:] |\*\* )Of [a-z0-9]/g;

const pages = files('*.md', ':!CHANGELOG.md').map((page) => [page, withoutBlocks(read(page))]);
const sources = files('*.ts', '*.mjs', '*.proto', ':!proto/gen').map((source) => [source, comments(read(source))]);
const texts = [...pages, ...sources];
for (const name of ['manager', 'agent']) {
  const help = execFileSync(process.execPath, [`services/${name}/dist/main.js`, '--help'], {
    cwd: root,
    encoding: 'utf8',
  });
  texts.push([`causeway-${name} --help`, help]);
}

let found = 0;
for (const [source, text] of texts) {
  for (const [i, line] of text.split('\n').entries()) {
    const prose = line.replaceAll(/`[^`]*`|"[^"]*"/g, '…');
    for (const [match] of [...prose.matchAll(forbidden), ...prose.matchAll(beginsWithOf)]) {
      found++;
      console.log(`${source}:${i + 1}: ${JSON.stringify(match.trim())} in: ${line.trim()}`);
    }
  }
}
console.log(`${found} sentences against the rules of plain English in CONTRIBUTING.md`);
process.exitCode = found === 0 ? 0 : 1;

function files(...patterns) {
  return execFileSync('git', ['ls-files', ...patterns], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter(Boolean);
}

function read(file) {
  return readFileSync(join(root, file), 'utf8');
}

/** Replaces all lines but those of comments by empty lines. */
function comments(text) {
  return text
    .split('\n')
    .map((line) => /^\s*(?:\/\*\*?|\*|\/\/)\s?(.*)$/.exec(line)?.[1] ?? '')
    .join('\n');
}

/** Replaces code blocks by empty lines, so that line numbers stay the same. */
function withoutBlocks(text) {
  return text.replaceAll(/^ *```[\s\S]*?^ *```/gm, (block) => block.replaceAll(/[^\n]/g, ''));
}
