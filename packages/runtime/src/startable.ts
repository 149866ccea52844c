/** Something with a lifetime. `start` resolves when it serves; `stop` resolves when no part of it runs any more. */
export interface Startable {
  start(): Promise<void>;
  stop(): Promise<void>;
}
