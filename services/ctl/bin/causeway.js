#!/usr/bin/env node
// npm links a bin at install, before anything is built. So this file exists from the start, and loads the built program.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (!existsSync(main)) {
  process.stderr.write('causeway: not built yet: run "npm run build" in the repository\n');
  process.exit(1);
}
await import(main.href);
