#!/usr/bin/env node
// npm links a bin at install, before anything is built: so the file it links is here, and leads to what the build makes.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (!existsSync(main)) {
  process.stderr.write('causeway: not built yet: run "npm run build" in the repository\n');
  process.exit(1);
}
await import(main.href);
