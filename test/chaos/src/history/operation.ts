/**
 * One operation on one address, as its caller saw it. An address is a register that holds an owner or null. An owner is one
 * claim, so two claims are never the same owner, even of one caller.
 */
export interface Operation {
  /** Network and address. */
  readonly key: string;
  readonly act: Act;
  /** When the operation was sent, and when its answer came, on one clock; null: no answer came. */
  readonly call: number;
  readonly end: number | null;
}

export type Act =
  /** The address had no owner, and now has this one. */
  | { readonly kind: 'claim'; readonly owner: string }
  /** The address had this owner, and now has none. */
  | { readonly kind: 'release'; readonly owner: string }
  /** The address did not have this owner: a release was refused. */
  | { readonly kind: 'absent'; readonly owner: string }
  /** The owner that was read; null: none. */
  | { readonly kind: 'read'; readonly owner: string | null };

/** The owner that an address holds; null: none. */
export type Holder = string | null;

/** The rule of the register: the holder after an act; undefined: the act is impossible. */
export function after(holder: Holder, act: Act): Holder | undefined {
  switch (act.kind) {
    case 'claim':
      return holder === null ? act.owner : undefined;
    case 'release':
      return holder === act.owner ? null : undefined;
    case 'absent':
      return holder === act.owner ? undefined : holder;
    case 'read':
      return holder === act.owner ? holder : undefined;
  }
}

export function printOperation({ key, act, call, end }: Operation): string {
  const what = `${act.kind} ${act.owner ?? 'none'}`;
  return `${key} ${what} [${call.toFixed(1)}, ${end === null ? 'never answered' : end.toFixed(1)}]`;
}
