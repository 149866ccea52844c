#!/usr/bin/env node
// Prints docs/cli.md from the commands of services/ctl. "--check" writes nothing and fails when the page is stale.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const page = fileURLToPath(new URL('../docs/cli.md', import.meta.url));
const built = new URL('../services/ctl/dist/index.js', import.meta.url);

if (!existsSync(built)) {
  process.stderr.write('docs: services/ctl is not built yet: run "npm run build" first\n');
  process.exit(1);
}
const { createProgram, machineCommands, renderReference, systemContext } = await import(built.href);
const reference = renderReference(createProgram(systemContext(process), machineCommands));

if (!process.argv.includes('--check')) {
  writeFileSync(page, reference);
} else if (!existsSync(page) || readFileSync(page, 'utf8') !== reference) {
  process.stderr.write('docs: docs/cli.md is stale: run "node tools/docs.mjs" and commit it\n');
  process.exitCode = 1;
}
