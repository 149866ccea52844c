import { checkAddress, type Verdict } from './linearizable.ts';
import { type Operation, printOperation } from './operation.ts';

/** The errors of a history, one paragraph per address; none: it is linearizable. */
export function checkHistory(operations: readonly Operation[]): readonly string[] {
  // Addresses are independent: the whole history is linearizable if the history of each is (Herlihy & Wing 1990, theorem 1).
  return [...byKey(operations)].flatMap(([key, all]) => {
    const verdict = checkAddress(all);
    return verdict.kind === 'linearizable' ? [] : [explain(key, verdict)];
  });
}

/** How many operations of an order are shown, the last ones: an order may have thousands. */
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
