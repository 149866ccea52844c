/** Runs the work of one lane one after another, in order of arrival. Different lanes do not wait for each other. */
export class Lanes {
  readonly #last = new Map<string, Promise<unknown>>();

  run<Value>(lane: string, work: () => Promise<Value>): Promise<Value> {
    const before = this.#last.get(lane);
    const turn = before === undefined ? work() : before.then(work, work);
    this.#last.set(lane, turn);
    const leave = (): void => {
      if (this.#last.get(lane) === turn) this.#last.delete(lane);
    };
    turn.then(leave, leave);
    return turn;
  }
}
