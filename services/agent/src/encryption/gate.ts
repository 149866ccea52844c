import { type Clock, type Duration, milliseconds, Notifier, within } from '@causeway/runtime';
import type { ProtectionState } from '../reconcile/protection.ts';

const stillPending = 'it is not known yet whether its kernel can; try again';

/** Encrypted networks wait here until the host protects them. */
export class Gate {
  readonly #clock: Clock;
  readonly #listeners: (() => void)[] = [];
  readonly #changes = new Notifier();
  #state: ProtectionState = 'pending';

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  get state(): ProtectionState {
    return this.#state;
  }

  set(state: ProtectionState): void {
    if (isSame(this.#state, state)) return;
    this.#state = state;
    this.#changes.notify();
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Waits while the state is pending. Returns why the host cannot encrypt, in words; undefined: it is ready. */
  async open(timeout: Duration): Promise<string | undefined> {
    const deadline = this.#clock.now() + timeout;
    while (this.#state === 'pending') {
      const left = deadline - this.#clock.now();
      if (left <= 0) return stillPending;
      await within(this.#clock, milliseconds(left), (signal) => this.#changes.wait(signal));
    }
    return this.#state === 'ready' ? undefined : this.#state.why;
  }
}

function isSame(a: ProtectionState, b: ProtectionState): boolean {
  return typeof a === 'object' && typeof b === 'object' ? a.why === b.why : a === b;
}
