import { Document, Scalar, visit } from 'yaml';
import { visibleData } from './visible.ts';

/**
 * Words that YAML 1.1 (PyYAML, Ruby, Go's yaml.v2) and 1.2 both read as a string without quotes: they begin with a
 * letter. Only 1.1 has "yes" and "off", 12:30:45 and 1_000 as numbers, 2020-01-01 as a date. Only 1.2 has 0o7 and 1e3.
 * All of these except the words begin with a digit, a sign or a dot.
 */
const word = /^[A-Za-z](?:[A-Za-z0-9_./-]| (?! |$))*$/;

/**
 * yaml.org/type/bool.html and null.html; 1.2 §10.3.2 has some of these words. They are compared without regard to case.
 */
const words: ReadonlySet<string> = new Set(['y', 'n', 'yes', 'no', 'on', 'off', 'true', 'false', 'null']);

/**
 * YAML in which readers of 1.1 and 1.2 read every string as a string. `value`: anything that JSON can carry, or a bigint.
 */
export function renderYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && !isPlain(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return visibleData(document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Number.POSITIVE_INFINITY }));
}

function isPlain(text: string): boolean {
  return word.test(text) && !words.has(text.toLowerCase());
}
