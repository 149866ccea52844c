// Checks that SECURITY.md claims only what tests show: each claim (an item of a list in a section of claims) links a test, and each
// link to a test has the title of a test in that file as its text.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(join(root, 'SECURITY.md'), 'utf8');
const link = /\[([^\]]+)\]\(([^)]+\.(?:test|e2e)\.ts)\)/g;
const wrong = [];
let links = 0;
let claims = 0;

for (const [, text, path] of page.matchAll(link)) {
  links++;
  const title = text.replaceAll(/\s+/g, ' ');
  const file = join(root, path);
  if (!existsSync(file)) wrong.push(`there is no ${path}`);
  else if (!["'", '"', '`'].some((quote) => readFileSync(file, 'utf8').includes(quote + title + quote)))
    wrong.push(`${path} has no test "${title}"`);
}
for (const section of page.split(/^## /m).slice(1)) {
  const [heading = ''] = section.split('\n');
  if (!heading.startsWith('Claims')) continue;
  for (const item of section.split(/^- /m).slice(1)) {
    claims++;
    if (item.split('\n\n')[0].match(link) === null) wrong.push(`"${heading}": no test for: ${item.split('\n')[0]}`);
  }
}
if (claims === 0) wrong.push('SECURITY.md has no section of claims');
for (const line of wrong) console.log(line);
console.log(`${claims} claims in SECURITY.md with ${links} links to tests`);
process.exitCode = wrong.length === 0 ? 0 : 1;
