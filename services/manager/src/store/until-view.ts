import type { View } from './view.ts';

/** Resolves when the condition holds or the signal aborts. Checks the condition after every change of the view. */
export function untilView(view: Pick<View, 'subscribe'>, holds: () => boolean, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!signal.aborted && !holds()) return;
      unsubscribe();
      signal.removeEventListener('abort', look);
      resolve();
    };
    const unsubscribe = view.subscribe(look);
    signal.addEventListener('abort', look);
    look();
  });
}
