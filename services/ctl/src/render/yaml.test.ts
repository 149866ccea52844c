import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { renderYaml } from './yaml.ts';

/** Strings that some reader takes for something else, or cannot read: yaml.org/type, YAML 1.2 §10.3.2, PyYAML. */
const tempting = [
  ...[
    'yes',
    'No',
    'ON',
    'off',
    'y',
    'N',
    'true',
    'False',
    'null',
    'Null',
    '~',
    '',
    ' ',
    '=',
    '<<',
    '?',
    '-',
    '---',
    '...',
  ],
  ...['1_000', '12:30:45', '190:20:30.15', '2020-01-01', '2001-12-14t21:59:43.10-05:00', '0o7', '0x1F', '0b1', '010'],
  ...['1e3', '1.5', '.5', '-1', '+1', '.inf', '-.INF', '.nan', '685_230.15', '0777', '1e10000000000000', '02:42:10:42'],
  ...[
    'a: b',
    'a:',
    'a #b',
    '#a',
    '&a',
    '*a',
    '!a',
    '!!int',
    '%a',
    '@a',
    '`a',
    '"a',
    "'a",
    '{a',
    '[a',
    'a,',
    '- a',
    '| a',
  ],
  ...[' a', 'a ', 'a  b', 'a\nb', 'a\n', '\n', 'a\tb', 'a\rb', '\u0085', '\u2028', '\u2029', '\ufeff', '\ufeffa'],
  ...['\u001b[2J', '\u007f', '\u009b31m', '\u202e', '\u0000', '\uffff', '\ufffe', '\u{1f600}', 'ä', 'NaN', 'Infinity'],
];

const text = fc.oneof(
  fc.constantFrom(...tempting),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.stringMatching(/^[-+0-9._:a-fxoTZ ]{1,12}$/),
);

const plain = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.constantFrom(null, true, false, 0, -7, 1.5, 42, 9_007_199_254_740_991),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(text, tie('any'), { maxKeys: 3 }),
  ),
})).any;

describe('YAML says the same to every reader', () => {
  test('of 1.2 and of 1.1', () => {
    fc.assert(
      fc.property(plain, (value) => {
        const yaml = renderYaml(value);
        expect(parse(yaml)).toEqual(value);
        expect(parse(yaml, { version: '1.1', merge: false })).toEqual(value);
      }),
    );
  });

  test.each(tempting)('%j as key and value', (word) => {
    const yaml = renderYaml({ [word]: word, list: [word] });
    expect(parse(yaml, { version: '1.1', merge: false })).toEqual({ [word]: word, list: [word] });
    expect(yaml).toMatch(/^[\n\x20-\x7e\u00a0-\u{10ffff}]*$/u);
  });

  const python = '/usr/bin/python3';
  const hasPyYaml = existsSync(python) && spawnSync(python, ['-c', 'import yaml']).status === 0;
  if (process.env['CI'] === 'true') test('PyYAML is here', () => expect(hasPyYaml).toBe(true));

  test.skipIf(!hasPyYaml)('PyYAML, which is of 1.1 (skipped without the Debian package python3-yaml)', () => {
    const values = [tempting, ...fc.sample(plain, 300)];
    const read = 'import json,sys,yaml; print(json.dumps(yaml.safe_load(sys.stdin.buffer), default=repr))';
    const { stdout, stderr } = spawnSync(python, ['-c', read], { input: renderYaml(values), encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(values);
  });
});

test('what needs no quotes has none', () => {
  const value = {
    id: '0000b1',
    name: 'blue',
    team: 'core web',
    when: 'after h2',
    revision: 7,
    addresses: ['10.66.0.9/16'],
  };
  expect(renderYaml(value)).toBe(
    'id: "0000b1"\nname: blue\nteam: core web\nwhen: after h2\nrevision: 7\naddresses:\n  - "10.66.0.9/16"\n',
  );
});
