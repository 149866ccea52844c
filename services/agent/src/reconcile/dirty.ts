import { ChangeSet, type Changes } from '@causeway/datapath';

/**
 * What a pass must compare, because the kernel may differ there from the scope's desired state: nothing, the objects that
 * the kernel's notifications named, or everything.
 */
export type Dirty = 'nothing' | 'everything' | Changes;

export function merged(a: Dirty, b: Dirty): Dirty {
  if (a === 'nothing' || b === 'everything') return b;
  if (b === 'nothing' || a === 'everything') return a;
  const all = new ChangeSet();
  all.include(a);
  all.include(b);
  return all;
}
