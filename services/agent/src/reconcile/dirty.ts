import { ChangeSet, type Changes } from '@causeway/datapath';

/** Where the kernel may differ from what a scope wants: nowhere, at the keys that the kernel named, or anywhere. */
export type Dirty = 'nothing' | 'everything' | Changes;

export function merged(a: Dirty, b: Dirty): Dirty {
  if (a === 'nothing' || b === 'everything') return b;
  if (b === 'nothing' || a === 'everything') return a;
  const all = new ChangeSet();
  all.include(a);
  all.include(b);
  return all;
}
