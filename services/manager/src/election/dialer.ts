/** Outcome of one try to reach a manager's process. */
export type Contact =
  /** The process answers. `leads`: it says that it leads. `ended` resolves when the connection ends, for whatever reason. */
  | { readonly kind: 'connected'; readonly leads: boolean; readonly ended: Promise<void> }
  /** The host answers that no process listens at the address. */
  | { readonly kind: 'refused' }
  /** Anything else, such as no answer in time. It says nothing about the process. */
  | { readonly kind: 'unclear' };

/** Finds out whether the process of another manager is still there. */
export interface Dialer {
  /** Never rejects. The connection lasts until the other end closes it, the path breaks it, or the signal aborts. */
  dial(address: string, signal: AbortSignal): Promise<Contact>;
}
