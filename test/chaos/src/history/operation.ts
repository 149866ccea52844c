/**
 * One operation on one address, as its caller saw it. An address is a register that holds an owner or nobody; an owner is
 * one claim, so two claims are never the same owner, whoever made them.
 */
export interface Operation {
  /** Network and address. */
  readonly key: string;
  readonly act: Act;
  /** When it was sent, and when its answer came, on one clock; null: no answer ever came. */
  readonly call: number;
  readonly end: number | null;
}

export type Act =
  /** Nobody had it, and now the owner has it. */
  | { readonly kind: 'claim'; readonly owner: string }
  /** The owner had it, and now nobody has it. */
  | { readonly kind: 'release'; readonly owner: string }
  /** The owner did not have it: a release was refused. */
  | { readonly kind: 'absent'; readonly owner: string }
  /** Who had it; null: nobody. */
  | { readonly kind: 'read'; readonly owner: string | null };

/** What an address holds: an owner, or nobody. */
export type Holder = string | null;

/** The register's own rule: the holder after an act, or undefined where the act cannot have happened. */
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
  const what = `${act.kind} ${act.owner ?? 'nobody'}`;
  return `${key} ${what} [${call.toFixed(1)}, ${end === null ? 'never answered' : end.toFixed(1)}]`;
}
