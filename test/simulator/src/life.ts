/**
 * The life of a simulated process. After a kill, its work never finishes: the process reaches the world only through
 * `mortal`, whose calls get no answer from the moment of death on, as after `kill -9`.
 */
export class Life {
  #over = false;
  readonly #onDeath: (() => void)[] = [];

  get isOver(): boolean {
    return this.#over;
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    for (const act of this.#onDeath) act();
  }

  onDeath(act: () => void): void {
    this.#onDeath.push(act);
  }

  mortal<Part extends object>(part: Part): Part {
    const life = this;
    return new Proxy(part, {
      get(target, name): unknown {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          if (life.#over) return never;
          const result: unknown = Reflect.apply(member, target, args);
          return result instanceof Promise ? life.#unlessOver(result) : result;
        };
      },
    });
  }

  #unlessOver<Value>(promise: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => (this.#over ? undefined : resolve(value)),
        (error: unknown) => (this.#over ? undefined : reject(error)),
      );
    });
  }
}

const never = new Promise<never>(() => undefined);
