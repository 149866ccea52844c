import { type Node, parseRegex, type Test } from './regex-parser.ts';

// Regular expressions of query filters. They come from other nodes, so a match takes time in proportion to the expression
// and the text, as in Go: all ways are followed at once, and none is tried again.

type Step =
  | { readonly type: 'char'; readonly test: Test }
  | { readonly type: 'start' | 'end' | 'match' }
  | { readonly type: 'fork'; readonly to: readonly number[] };

/** Most steps that an expression may need. */
const maxSteps = 2048;

/**
 * Whether the expression matches any part of the text. Undefined: the expression has no meaning here. Read are characters,
 * `.`, classes, groups, `|`, `^`, `$`, `*`, `+`, `?` and `{n,m}`: what filters on tags need of Go's syntax.
 */
export function matches(expression: string, text: string): boolean | undefined {
  const tree = parseRegex(expression);
  if (tree === undefined) return undefined;
  const steps: Step[] = [];
  if (!emit(tree, steps)) return undefined;
  steps.push({ type: 'match' });
  return run(steps, [...text]);
}

function run(steps: readonly Step[], chars: readonly string[]): boolean {
  let states = new Set<number>();
  for (let at = 0; at <= chars.length; at++) {
    // A match may begin anywhere.
    const reached = closure(steps, [...states, 0], at === 0, at === chars.length);
    if (reached === 'match') return true;
    const char = chars[at];
    if (char === undefined) return false;
    states = new Set();
    for (const state of reached) {
      const step = steps[state];
      if (step?.type === 'char' && step.test(char)) states.add(state + 1);
    }
  }
  return false;
}

/** All states that these reach without a character. */
function closure(steps: readonly Step[], from: number[], isStart: boolean, isEnd: boolean): Set<number> | 'match' {
  const reached = new Set<number>();
  for (let state = from.pop(); state !== undefined; state = from.pop()) {
    if (reached.has(state)) continue;
    reached.add(state);
    const step = steps[state];
    if (step?.type === 'match') return 'match';
    if (step?.type === 'fork') from.push(...step.to);
    else if ((step?.type === 'start' && isStart) || (step?.type === 'end' && isEnd)) from.push(state + 1);
  }
  return reached;
}

/** Appends the steps of the node; after its last step comes whatever follows. False: there are too many. */
function emit(node: Node, steps: Step[]): boolean {
  if (steps.length > maxSteps) return false;
  switch (node.type) {
    case 'char':
    case 'start':
    case 'end':
      steps.push(node);
      return true;
    case 'all':
      return node.of.every((each) => emit(each, steps));
    case 'any':
      return emitAny(node.of, steps);
    case 'repeat':
      return emitRepeat(node, steps);
  }
}

function emitAny(of: readonly Node[], steps: Step[]): boolean {
  const begins: number[] = [];
  const ends: number[] = [];
  steps.push({ type: 'fork', to: begins });
  for (const each of of) {
    begins.push(steps.length);
    if (!emit(each, steps)) return false;
    ends.push(steps.push({ type: 'fork', to: [] }) - 1);
  }
  for (const end of ends) steps[end] = { type: 'fork', to: [steps.length] };
  return true;
}

function emitRepeat({ of, min, max }: Extract<Node, { type: 'repeat' }>, steps: Step[]): boolean {
  const start = steps.length;
  for (let i = 0; i < min; i++) {
    if (!emit(of, steps)) return false;
    // A part without a step matches nothing, however often: repetitions inside repetitions of it must not cost time.
    if (steps.length === start) return true;
  }
  if (max === Number.POSITIVE_INFINITY) {
    const fork = steps.push({ type: 'fork', to: [] }) - 1;
    if (!emit(of, steps)) return false;
    steps.push({ type: 'fork', to: [fork] });
    steps[fork] = { type: 'fork', to: [fork + 1, steps.length] };
    return true;
  }
  const forks: number[] = [];
  for (let i = min; i < max; i++) {
    forks.push(steps.push({ type: 'fork', to: [] }) - 1);
    if (!emit(of, steps)) return false;
  }
  for (const fork of forks) steps[fork] = { type: 'fork', to: [fork + 1, steps.length] };
  return true;
}
