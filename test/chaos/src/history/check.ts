import { checkAddress, type Verdict } from './linearizable.ts';
import { type Operation, printOperation } from './operation.ts';

/** What is wrong with a history, a paragraph for each address; none when it is linearizable. */
export function checkHistory(operations: readonly Operation[]): readonly string[] {
  // Addresses do not know of each other: the whole is linearizable when each of them is (Herlihy & Wing 1990, theorem 1).
  return [...byKey(operations)].flatMap(([key, all]) => {
    const verdict = checkAddress(all);
    return verdict.kind === 'linearizable' ? [] : [explain(key, verdict)];
  });
}

/** Of an order that may have thousands, those that led to where it ends. */
const shown = 8;

function explain(key: string, { order, stuck }: Extract<Verdict, { kind: 'impossible' }>): string {
  const last = order.slice(-shown).map(printOperation);
  const more = order.length > shown ? [`… ${order.length - shown} before`] : [];
  const lines = [...more, ...last, 'after which none of these can be:', ...stuck.slice(0, shown).map(printOperation)];
  return [`${key} is not linearizable:`, ...lines].join('\n  ');
}

function byKey(operations: readonly Operation[]): ReadonlyMap<string, readonly Operation[]> {
  const all = new Map<string, Operation[]>();
  for (const operation of operations) {
    const same = all.get(operation.key) ?? [];
    same.push(operation);
    all.set(operation.key, same);
  }
  return all;
}
