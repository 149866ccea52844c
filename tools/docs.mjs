#!/usr/bin/env node
// Writes docs/cli.md from the commands of services/ctl. With "--check" it writes nothing and fails when the page is stale.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const page = fileURLToPath(new URL('../docs/cli.md', import.meta.url));
const built = ['index.js', 'io/index.js'].map((file) => new URL(`../services/ctl/dist/${file}`, import.meta.url));

if (!built.every((file) => existsSync(file))) {
  process.stderr.write('docs: services/ctl is not built yet: run "npm run build" first\n');
  process.exit(1);
}
const [{ createProgram, renderReference }, { machineCommands, systemContext }] = await Promise.all(
  built.map((file) => import(file.href)),
);
const reference = renderReference(createProgram(systemContext(process), machineCommands));

if (!process.argv.includes('--check')) {
  writeFileSync(page, reference);
} else if (!existsSync(page) || readFileSync(page, 'utf8') !== reference) {
  process.stderr.write('docs: docs/cli.md is stale: run "node tools/docs.mjs" and commit it\n');
  process.exitCode = 1;
}
