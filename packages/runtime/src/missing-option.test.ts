import { expect, test } from 'vitest';
import { explainMissingOption } from './missing-option.ts';

const options = [{ flags: '--name <name>', envVar: 'CAUSEWAY_NAME' }, { flags: '--other <text>' }];

test.each([
  ["error: required option '--name <name>' not specified\n", 'error: --name (or CAUSEWAY_NAME) is missing\n'],
  ["error: required option '--other <text>' not specified", "error: required option '--other <text>' not specified"],
  ["error: unknown option '--name'", "error: unknown option '--name'"],
])('%j becomes %j', (text, explained) => expect(explainMissingOption(text, options)).toBe(explained));
