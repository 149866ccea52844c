import { assertNever } from './assert.ts';
import { CausewayError } from './error.ts';
import { isLabelKey, type Labels } from './labels.ts';
import { fail, ok, type Result } from './result.ts';
import { clip } from './visible.ts';

/**
 * One condition on an object's labels, with the meaning of Kubernetes: "not-in" also holds for an object without the
 * label.
 */
export type Requirement =
  | { readonly kind: 'in' | 'not-in'; readonly key: string; readonly values: readonly string[] }
  | { readonly kind: 'has' | 'has-not'; readonly key: string };

/** All conditions must hold. */
export type LabelSelector = readonly Requirement[];

/** "field=value" or "field!=value". The caller knows which fields exist. */
export interface FieldTerm {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

/**
 * "a=b, a==b, a!=b, a in (b, c), a notin (b, c), a, !a"; empty text selects everything. In addition to Kubernetes'
 * syntax, a value in double quotes may contain anything: a="x, \"y\"".
 */
export function parseLabelSelector(text: string, field = 'label_selector'): Result<LabelSelector, CausewayError> {
  return parsing(text, field, (tokens) => list(tokens, requirement));
}

/** "name=web, host!=h1"; values are written as in label selectors. */
export function parseFieldSelector(
  text: string,
  field = 'field_selector',
): Result<readonly FieldTerm[], CausewayError> {
  return parsing(text, field, (tokens) => list(tokens, fieldTerm));
}

export function formatLabelSelector(selector: LabelSelector): string {
  return selector.map(formatRequirement).join(',');
}

export function formatFieldSelector(terms: readonly FieldTerm[]): string {
  return terms.map(({ field, equal, value }) => `${field}${equal ? '=' : '!='}${formatValue(value)}`).join(',');
}

export function matchesLabels(selector: LabelSelector, labels: Labels): boolean {
  return selector.every((requirement) => {
    const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
    switch (requirement.kind) {
      case 'in':
        return requirement.values.some((each) => each === value);
      case 'not-in':
        return requirement.values.every((each) => each !== value);
      case 'has':
        return value !== undefined;
      case 'has-not':
        return value === undefined;
      default:
        return assertNever(requirement);
    }
  });
}

function formatRequirement(requirement: Requirement): string {
  if (!('values' in requirement)) return requirement.kind === 'has' ? requirement.key : `!${requirement.key}`;
  const { kind, key } = requirement;
  const values = requirement.values.map(formatValue);
  if (values.length === 1) return `${key}${kind === 'in' ? '=' : '!='}${values[0]}`;
  return `${key} ${kind === 'in' ? 'in' : 'notin'} (${values.join(',')})`;
}

function formatValue(value: string): string {
  return /^[^\s=!(),"]*$/.test(value) ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}

type Token =
  | { readonly kind: 'word' | 'quoted'; readonly text: string; readonly at: number }
  | { readonly kind: '=' | '!=' | '!' | '(' | ')' | ',' | 'end'; readonly at: number };

/** What is wrong, and its position in the text. */
class Misread extends Error {
  readonly at: number;

  constructor(expected: string, at: number) {
    super(expected);
    this.at = at;
  }
}

function parsing<Value>(text: string, field: string, parse: (tokens: Tokens) => Value): Result<Value, CausewayError> {
  try {
    return ok(parse(new Tokens(text)));
  } catch (misread) {
    if (!(misread instanceof Misread)) throw misread;
    const { at } = misread;
    const where = at >= text.length ? 'at its end' : `at "${clip(text.slice(at))}"`;
    const data = { field, value: clip(text), at };
    return fail(new CausewayError('invalid-argument', `${field}: ${misread.message} ${where}`, data));
  }
}

/** Item ("," item)*, or empty text. */
function list<Item>(tokens: Tokens, item: (tokens: Tokens) => Item): Item[] {
  if (tokens.peek().kind === 'end') return [];
  const items = [item(tokens)];
  while (tokens.take(',')) items.push(item(tokens));
  if (tokens.peek().kind !== 'end') throw new Misread('expected "," or the end', tokens.peek().at);
  return items;
}

function requirement(tokens: Tokens): Requirement {
  if (tokens.take('!')) return { kind: 'has-not', key: labelKey(tokens) };
  const key = labelKey(tokens);
  if (tokens.take('=')) return { kind: 'in', key, values: [value(tokens)] };
  if (tokens.take('!=')) return { kind: 'not-in', key, values: [value(tokens)] };
  const operator = tokens.peek();
  if (operator.kind !== 'word') return { kind: 'has', key };
  if (operator.text !== 'in' && operator.text !== 'notin')
    throw new Misread('expected "=", "!=", "in", "notin", "," or the end', operator.at);
  tokens.next();
  return { kind: operator.text === 'in' ? 'in' : 'not-in', key, values: valueSet(tokens) };
}

function fieldTerm(tokens: Tokens): FieldTerm {
  const token = tokens.next();
  if (token.kind !== 'word') throw new Misread('expected the name of a field', token.at);
  if (tokens.take('=')) return { field: token.text, equal: true, value: value(tokens) };
  if (tokens.take('!=')) return { field: token.text, equal: false, value: value(tokens) };
  throw new Misread('expected "=" or "!="', tokens.peek().at);
}

function labelKey(tokens: Tokens): string {
  const token = tokens.next();
  if (token.kind === 'word' && isLabelKey(token.text)) return token.text;
  throw new Misread('expected a label key', token.at);
}

/** The value may be empty: "a=" and "a in (,b)". */
function value(tokens: Tokens): string {
  const token = tokens.peek();
  if (token.kind !== 'word' && token.kind !== 'quoted') return '';
  tokens.next();
  return token.text;
}

function valueSet(tokens: Tokens): string[] {
  if (!tokens.take('(')) throw new Misread('expected "("', tokens.peek().at);
  const values = [value(tokens)];
  while (tokens.take(',')) values.push(value(tokens));
  if (!tokens.take(')')) throw new Misread('expected "," or ")"', tokens.peek().at);
  return values;
}

class Tokens {
  readonly #text: string;
  #at = 0;
  #peeked: Token | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  peek(): Token {
    this.#peeked ??= this.#read();
    return this.#peeked;
  }

  next(): Token {
    const token = this.peek();
    this.#peeked = undefined;
    return token;
  }

  take(kind: Token['kind']): boolean {
    if (this.peek().kind !== kind) return false;
    this.#peeked = undefined;
    return true;
  }

  #read(): Token {
    this.#match(/\s*/y);
    const at = this.#at;
    if (at === this.#text.length) return { kind: 'end', at };
    const symbol = this.#match(/==|!=|[=!(),]/y);
    if (symbol !== undefined) return { kind: symbol === '==' ? '=' : (symbol as '='), at };
    const word = this.#match(/[^\s=!(),"]+/y);
    if (word !== undefined) return { kind: 'word', text: word, at };
    const quoted = this.#match(/"(?:[^"\\]|\\["\\])*"/y);
    if (quoted === undefined) throw new Misread('a quoted value without its end, or with a stray "\\",', at);
    return { kind: 'quoted', text: quoted.slice(1, -1).replaceAll(/\\(["\\])/g, '$1'), at };
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }
}
