import type { View } from './view.ts';

/** Resolves when the condition holds, which every change of the view may make true, or when the signal aborts. */
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
