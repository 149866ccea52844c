import type { Effect, NetworkInput } from '../swim/effect.ts';
import type { NetworkEffect, Sockets } from './sockets.ts';

/** A node without sockets and clock: `Core`, or a layer around it. */
export interface Machine<Input, Output> {
  readonly nextWake: number | undefined;
  step(input: Input | NetworkInput, now: number): readonly Output[];
}

type Settled = Extract<Effect, { readonly type: 'settled' }>;

/** An operation failed: `code` says why (`refused`, `timeout`, `closed`, …, or the text of the other node). */
export class MemberlistError extends Error {
  readonly code: string;

  constructor(what: string, code: string) {
    super(`${what}: ${code}`);
    this.name = 'MemberlistError';
    this.code = code;
  }
}

/** Runs a machine on sockets and this machine's clock. `Told`: the effects that are not for the network. */
export class Host<Input extends { readonly type: string }, Told extends { readonly type: string }> {
  readonly #machine: Machine<Input, NetworkEffect | Settled | Told>;
  readonly #sockets: Sockets;
  readonly #tell: (effect: Told) => void;
  readonly #commands = new Map<number, (error: string | undefined) => void>();
  readonly #waiting: (Input | NetworkInput)[] = [];
  #lastCommand = 0;
  #isStepping = false;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(machine: Machine<Input, NetworkEffect | Settled | Told>, sockets: Sockets, tell: (effect: Told) => void) {
    this.#machine = machine;
    this.#sockets = sockets;
    this.#tell = tell;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  start(): void {
    this.#sockets.start((input) => this.give(input));
    this.give({ type: 'start' });
  }

  /** Closes the sockets. Commands that are under way fail. */
  async shutdown(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    await this.#sockets.close();
    for (const settle of this.#commands.values()) settle('shut down');
  }

  /** Gives the machine a command. Rejects with `what` and the reason if the command fails. */
  command(what: string, input: (command: number) => Input): Promise<void> {
    const command = ++this.#lastCommand;
    return new Promise((resolve, reject) => {
      const settle = (error: string | undefined): void => {
        this.#commands.delete(command);
        if (error === undefined) resolve();
        else reject(new MemberlistError(what, error));
      };
      if (this.#isOver) {
        settle('shut down');
        return;
      }
      this.#commands.set(command, settle);
      this.give(input(command));
    });
  }

  /** A delegate or a reader may call the node while the machine takes a step; then the input waits until the step is over. */
  give(input: Input | NetworkInput): void {
    this.#waiting.push(input);
    if (this.#isStepping || this.#isOver) return;
    this.#isStepping = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        for (const effect of this.#machine.step(next, performance.now())) this.#carryOut(effect);
      }
    } finally {
      this.#isStepping = false;
      this.#arm();
    }
  }

  #carryOut(effect: NetworkEffect | Settled | Told): void {
    if (isSettled(effect)) this.#commands.get(effect.command)?.(effect.error);
    else if (isForNetwork(effect)) this.#sockets.carryOut(effect);
    else this.#tell(effect as Told);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const next = this.#machine.nextWake;
    if (next === undefined || this.#isOver) return;
    this.#timer = setTimeout(() => this.give({ type: 'timer' }), Math.max(0, next - performance.now()));
  }
}

function isSettled(effect: { readonly type: string }): effect is Settled {
  return effect.type === 'settled';
}

function isForNetwork(effect: { readonly type: string }): effect is NetworkEffect {
  return ['datagram', 'connect', 'reply', 'close'].includes(effect.type);
}
