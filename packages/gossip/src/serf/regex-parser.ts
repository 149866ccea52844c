export type Test = (char: string) => boolean;

/** A part of an expression. */
export type Node =
  | { readonly type: 'char'; readonly test: Test }
  | { readonly type: 'start' | 'end' }
  | { readonly type: 'all' | 'any'; readonly of: readonly Node[] }
  | { readonly type: 'repeat'; readonly of: Node; readonly min: number; readonly max: number };

/** Longest expression, most repetitions of one part, as in Go, and most groups inside each other. */
const maxExpression = 1024;
const maxRepeat = 1000;
const maxDepth = 64;

const classes: Readonly<Record<string, Test>> = {
  d: (char) => /^[0-9]$/.test(char),
  w: (char) => /^[0-9A-Za-z_]$/.test(char),
  s: (char) => /^[\t\n\f\r ]$/.test(char),
};
const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v', a: '\x07' };

/** Undefined: the expression has no meaning here. */
export function parseRegex(expression: string): Node | undefined {
  return expression.length > maxExpression ? undefined : new Parser(expression).parse();
}

/** Reads an expression; every method returns undefined where the expression has no meaning. */
class Parser {
  readonly #chars: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(expression: string) {
    this.#chars = [...expression];
  }

  parse(): Node | undefined {
    const node = this.#any();
    return this.#at === this.#chars.length ? node : undefined;
  }

  #any(): Node | undefined {
    if (++this.#depth > maxDepth) return undefined;
    const of: Node[] = [];
    do {
      const branch = this.#all();
      if (branch === undefined) return undefined;
      of.push(branch);
    } while (this.#takes('|'));
    this.#depth--;
    const [only] = of;
    return of.length === 1 ? only : { type: 'any', of };
  }

  #all(): Node | undefined {
    const of: Node[] = [];
    while (this.#at < this.#chars.length && this.#peek !== '|' && this.#peek !== ')') {
      const node = this.#repeated();
      if (node === undefined) return undefined;
      of.push(node);
    }
    return { type: 'all', of };
  }

  #repeated(): Node | undefined {
    let node = this.#atom();
    for (let counts = this.#counts(); node !== undefined && counts !== 'none'; counts = this.#counts()) {
      if (counts === undefined) return undefined;
      // A part that takes few characters matches where one that takes many does.
      this.#takes('?');
      const of: Node = node;
      node = { type: 'repeat', of, ...counts };
    }
    return node;
  }

  #counts(): { readonly min: number; readonly max: number } | 'none' | undefined {
    if (this.#takes('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#takes('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#takes('?')) return { min: 0, max: 1 };
    const found = /^\{(\d{1,4})(?:(,)(\d{1,4})?)?\}/.exec(this.#chars.slice(this.#at, this.#at + 12).join(''));
    if (found === null) return 'none';
    this.#at += found[0].length;
    const min = Number(found[1]);
    const max = found[2] === undefined ? min : found[3] === undefined ? Number.POSITIVE_INFINITY : Number(found[3]);
    const isSound = min <= max && min <= maxRepeat && (max <= maxRepeat || max === Number.POSITIVE_INFINITY);
    return isSound ? { min, max } : undefined;
  }

  #atom(): Node | undefined {
    const char = this.#next();
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return this.#set();
      case '.':
        return { type: 'char', test: (each) => each !== '\n' };
      case '^':
        return { type: 'start' };
      case '$':
        return { type: 'end' };
      case '\\': {
        const test = this.#escape();
        return test === undefined ? undefined : { type: 'char', test };
      }
      case undefined:
      case '*':
      case '+':
      case '?':
        return undefined;
      default:
        return { type: 'char', test: (each) => each === char };
    }
  }

  #group(): Node | undefined {
    if (this.#takes('?') && !this.#takes(':')) return undefined;
    const node = this.#any();
    return this.#takes(')') ? node : undefined;
  }

  #set(): Node | undefined {
    const isNegated = this.#takes('^');
    const tests: Test[] = [];
    for (let isFirst = true; isFirst || this.#peek !== ']'; isFirst = false) {
      const from = this.#next();
      if (from === undefined) return undefined;
      if (from === '[' && this.#peek === ':') return undefined;
      const test = from === '\\' ? this.#escape() : this.#range(from);
      if (test === undefined) return undefined;
      tests.push(test);
    }
    this.#at++;
    return { type: 'char', test: (char) => tests.some((test) => test(char)) !== isNegated };
  }

  #range(from: string): Test | undefined {
    if (this.#peek !== '-' || this.#chars[this.#at + 1] === ']') return (char) => char === from;
    this.#at++;
    const to = this.#next();
    if (to === undefined || to === '\\' || code(to) < code(from)) return undefined;
    return (char) => code(from) <= code(char) && code(char) <= code(to);
  }

  #escape(): Test | undefined {
    const char = this.#next();
    if (char === undefined) return undefined;
    const inside = classes[char.toLowerCase()];
    if (inside !== undefined) return (each) => inside(each) === (char === char.toLowerCase());
    const literal = escapes[char] ?? (/^[0-9A-Za-z]$/.test(char) ? undefined : char);
    return literal === undefined ? undefined : (each) => each === literal;
  }

  get #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #next(): string | undefined {
    return this.#chars[this.#at++];
  }

  #takes(char: string): boolean {
    if (this.#peek !== char) return false;
    this.#at++;
    return true;
  }
}

function code(char: string): number {
  return char.codePointAt(0) ?? 0;
}
