import { after, type Holder, type Operation } from './operation.ts';

export type Verdict =
  | { readonly kind: 'linearizable' }
  /** The longest order that was found, and the answered operations none of which can come next. */
  | { readonly kind: 'impossible'; readonly order: readonly Operation[]; readonly stuck: readonly Operation[] };

/**
 * Whether the operations on one address can be put in an order that the register allows. In this order no operation may
 * come before an operation that was answered before it was sent. An operation without an answer may come at any time
 * after it was sent, or not at all.
 *
 * A depth-first search as in Wing & Gong ("Testing and Verifying Concurrent Objects", 1993) that remembers visited
 * states (Lowe, "Testing for linearizability", 2017). An operation that does not change the register is placed first
 * whenever it can be: if there is an order with it later, there is one with it now. So only claims and releases branch
 * the search.
 */
export function checkAddress(operations: readonly Operation[]): Verdict {
  const ordered = [...operations].sort((a, b) => a.call - b.call);
  const history: History = {
    answered: ordered.flatMap(({ end, ...rest }) => (end === null ? [] : [{ ...rest, end }])),
    unanswered: ordered.filter(({ end }) => end === null),
  };
  const beginning: Step = { holder: null, first: 0, ahead: [], taken: [], operation: undefined, before: undefined };
  const seen = new Set<string>();
  const stack = [beginning];
  let furthest = beginning;
  for (let step = stack.pop(); step !== undefined; step = stack.pop()) {
    if (step.first === history.answered.length) return { kind: 'linearizable' };
    const name = nameOf(step);
    if (seen.has(name)) continue;
    seen.add(name);
    if (progressOf(step) > progressOf(furthest)) furthest = step;
    stack.push(...next(step, history));
  }
  return { kind: 'impossible', order: orderOf(furthest), stuck: candidatesOf(furthest, history).map(([, one]) => one) };
}

type Answered = Operation & { readonly end: number };

interface History {
  /** Both sorted by the time of the call. */
  readonly answered: readonly Answered[];
  readonly unanswered: readonly Operation[];
}

/** An order of some operations: its last operation, and the order before it. */
interface Step {
  readonly holder: Holder;
  /** All answered operations before this index are in the order… */
  readonly first: number;
  /** … and of those from this index on, these, ascending. */
  readonly ahead: readonly number[];
  /** The unanswered operations in the order, ascending. */
  readonly taken: readonly number[];
  readonly operation: Operation | undefined;
  readonly before: Step | undefined;
}

/**
 * Two orders of the same operations that leave the same holder can be continued in the same ways: they get the same
 * name.
 */
function nameOf({ holder, first, ahead, taken }: Step): string {
  return `${first} ${ahead.join()} ${taken.join()} ${holder}`;
}

function progressOf({ first, ahead }: Step): number {
  return first + ahead.length;
}

function next(step: Step, history: History): Step[] {
  const steps: Step[] = [];
  const candidates = candidatesOf(step, history);
  for (const [index, operation] of candidates) {
    const holder = after(step.holder, operation.act);
    if (holder === undefined) continue;
    const one: Step = { ...step, ...advance(step, index), holder, operation, before: step };
    if (holder === step.holder) return [one];
    steps.push(one);
  }
  const deadline = Math.min(...candidates.map(([, { end }]) => end));
  for (const [index, operation] of history.unanswered.entries()) {
    if (operation.call > deadline) break;
    if (step.taken.includes(index)) continue;
    const holder = after(step.holder, operation.act);
    // An unanswered operation that does not change the register can be left out: its caller saw no result.
    if (holder === undefined || holder === step.holder) continue;
    const taken = [...step.taken, index].sort((a, b) => a - b);
    steps.push({ ...step, holder, taken, operation, before: step });
  }
  return steps;
}

/** Answered operations that may come next: those that were sent before the first answer among all that remain. */
function candidatesOf({ first, ahead }: Step, { answered }: History): readonly (readonly [number, Answered])[] {
  const candidates: [number, Answered][] = [];
  let deadline = Number.POSITIVE_INFINITY;
  for (let index = first; index < answered.length; index++) {
    const operation = answered[index];
    if (operation === undefined || operation.call > deadline) break;
    if (ahead.includes(index)) continue;
    candidates.push([index, operation]);
    deadline = Math.min(deadline, operation.end);
  }
  return candidates;
}

function advance(step: Step, index: number): Pick<Step, 'first' | 'ahead'> {
  const ahead = new Set(step.ahead).add(index);
  let { first } = step;
  while (ahead.delete(first)) first++;
  return { first, ahead: [...ahead].sort((a, b) => a - b) };
}

function orderOf(last: Step): readonly Operation[] {
  const order: Operation[] = [];
  for (let step: Step | undefined = last; step !== undefined; step = step.before) {
    if (step.operation !== undefined) order.push(step.operation);
  }
  return order.reverse();
}
