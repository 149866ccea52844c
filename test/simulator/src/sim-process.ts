/**
 * A simulated process. After a kill, its work never finishes: the process reaches the world only through what `whileAlive`
 * returns, and calls of that get no answer after the kill, as after `kill -9`.
 */
export class SimProcess {
  #killed = false;
  readonly #onKill: (() => void)[] = [];

  kill(): void {
    if (this.#killed) return;
    this.#killed = true;
    for (const act of this.#onKill) act();
  }

  onKill(act: () => void): void {
    this.#onKill.push(act);
  }

  whileAlive<Part extends object>(part: Part): Part {
    const simProcess = this;
    return new Proxy(part, {
      get(target, name): unknown {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          if (simProcess.#killed) return never;
          const result: unknown = Reflect.apply(member, target, args);
          return result instanceof Promise ? simProcess.#unlessKilled(result) : result;
        };
      },
    });
  }

  #unlessKilled<Value>(promise: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => (this.#killed ? undefined : resolve(value)),
        (error: unknown) => (this.#killed ? undefined : reject(error)),
      );
    });
  }
}

const never = new Promise<never>(() => undefined);
