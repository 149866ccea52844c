import { entriesOf } from '../../changes.ts';
import { ofSlots } from '../../draft.ts';
import type { ReadScope } from '../../kernel.ts';
import { type KindName, kinds, type Namespace } from '../../kinds/table.ts';
import { isOurHostLink } from '../../owner.ts';
import { isAskedFor, isInScope } from '../../scope.ts';
import { twins } from '../twins.ts';
import type { FakeNamespace } from './host.ts';

/** The result of Kernel.read for a namespace. */
export function viewOf(namespace: FakeNamespace, scope: ReadScope): Namespace {
  const { isHostNetns } = namespace;
  const links = new Map(
    [...namespace.links].filter(
      ([name, { group }]) => isInScope(name, scope) && (!isHostNetns || isOurHostLink({ name, group })),
    ),
  );
  const keys = new Map<keyof Namespace, ReadonlyMap<string, ReadonlySet<unknown>>>(entriesOf(scope.entries ?? {}));
  const found = new Map(
    kinds.map(({ name, slot, real }): readonly [keyof Namespace, ReadonlyMap<unknown, unknown>] => {
      const twin = twins[name as KindName];
      if (real.derive !== undefined) return [slot, twin.view(namespace, links, scope)];
      if (!isAskedFor(slot, scope)) return [slot, new Map()];
      if (scope.entries === undefined) return [slot, twin.view(namespace, links, scope)];
      return [slot, named(keys.get(slot), twin.view(namespace, namespace.links, scope))];
    }),
  );
  return ofSlots((slot) => found.get(slot) ?? new Map());
}

/** Only the named entries of links. */
function named(
  keys: ReadonlyMap<string, ReadonlySet<unknown>> = new Map(),
  all: ReadonlyMap<unknown, unknown>,
): ReadonlyMap<unknown, unknown> {
  return new Map(
    [...keys].map(([dev, of]) => {
      const things = (all.get(dev) ?? new Map()) as ReadonlyMap<unknown, unknown>;
      return [dev, new Map([...things].filter(([key]) => of.has(key)))];
    }),
  );
}
