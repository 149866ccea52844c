import { describe, expect, test } from 'vitest';
import { type HandshakeLimits, Handshakes } from './handshakes.ts';

const limits: HandshakeLimits = {
  waiting: { perSource: 4, inAll: 6 },
  patience: 700,
  underWay: { perSource: 2, inAll: 3 },
  unaccepted: { burst: 3, perSecond: 1 },
};

/** Connections are named for their source: "a1", "a2". */
class Server {
  readonly #handshakes: Handshakes<string>;
  now = 0;

  constructor(wanted: Partial<HandshakeLimits> = {}) {
    this.#handshakes = new Handshakes({ ...limits, ...wanted });
  }

  /** Returns those that are refused. */
  arrive(...connections: readonly string[]): readonly string[] {
    return connections.filter((each) => !this.#handshakes.arrive(each, each[0] ?? '', this.now));
  }

  accepted(...connections: readonly string[]): void {
    for (const each of connections) this.#handshakes.ended(each, this.now, 'accepted');
  }

  failed(...connections: readonly string[]): void {
    for (const each of connections) this.#handshakes.ended(each, this.now);
  }

  /** What happens until there is nothing to do. */
  run(): readonly string[] {
    const said: string[] = [];
    for (;;) {
      const step = this.#handshakes.next(this.now);
      if (step.kind === 'wait') return [...said, ...(Number.isFinite(step.until) ? [`wait until ${step.until}`] : [])];
      said.push(`${step.kind} ${step.connection}`);
      if (step.kind === 'start' && step.instead !== undefined) {
        said.push(`end ${step.instead} instead`);
        this.failed(step.instead);
      }
    }
  }
}

test('connections begin in the order in which they arrive', () => {
  const server = new Server();
  server.arrive('a1', 'b1', 'c1');
  expect(server.run()).toEqual(['start a1', 'start b1', 'start c1']);
});

test('sources have equal turns', () => {
  const server = new Server({ underWay: { perSource: 9, inAll: 9 } });
  server.arrive('a1', 'a2', 'a3', 'b1', 'c1');
  expect(server.run()).toEqual(['start a1', 'start b1', 'start c1', 'start a2', 'start a3']);
});

describe('connections that wait', () => {
  test('are limited for each source', () => {
    expect(new Server().arrive('a1', 'a2', 'a3', 'a4', 'a5', 'b1')).toEqual(['a5']);
  });

  test('are limited in all', () => {
    expect(new Server().arrive('a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'c1')).toEqual(['c1']);
  });

  test('are ended when they have waited too long', () => {
    const server = new Server();
    server.arrive('a1', 'a2', 'a3');
    expect(server.run()).toEqual(['start a1', 'start a2', 'wait until 700']);
    server.now = 700;
    expect(server.run()).toEqual(['end a3']);
  });

  test('make room when they end by themselves', () => {
    const server = new Server();
    server.arrive('a1', 'a2', 'a3', 'a4');
    server.failed('a2');
    expect(server.arrive('a5', 'a6')).toEqual(['a6']);
    expect(server.run()).toEqual(['start a1', 'start a3', 'wait until 700']);
  });
});

describe('handshakes under way', () => {
  test('are limited for each source: half-open connections of one source delay only that source', () => {
    const server = new Server();
    server.arrive('a1', 'a2', 'a3', 'b1');
    expect(server.run()).toEqual(['start a1', 'start b1', 'start a2', 'wait until 700']);
    server.accepted('a1');
    expect(server.run()).toEqual(['start a3']);
  });

  test('are limited in all: half-open connections of many sources give way, the oldest first', () => {
    const server = new Server();
    server.arrive('a1', 'b1', 'c1');
    server.run();
    server.arrive('d1', 'e1');
    expect(server.run()).toEqual(['start d1', 'end a1 instead', 'start e1', 'end b1 instead']);
  });
});

describe('handshakes without an accepted certificate', () => {
  test('are limited by a rate for each source', () => {
    const server = new Server();
    for (const each of ['a1', 'a2', 'a3']) {
      server.arrive(each);
      server.run();
      server.failed(each);
    }
    server.arrive('a4', 'b1');
    expect(server.run()).toEqual(['start b1', 'wait until 700']);
    server.now = 1_000;
    expect(server.run()).toEqual(['end a4']);
    server.arrive('a5');
    expect(server.run()).toEqual(['start a5']);
  });

  test('do not include those of peers', () => {
    const server = new Server();
    for (let i = 1; i < 10; i++) {
      server.arrive(`a${i}`);
      expect(server.run()).toEqual([`start a${i}`]);
      server.accepted(`a${i}`);
    }
  });

  test('what ends twice counts once', () => {
    const server = new Server();
    for (const each of ['a1', 'a2', 'a3', 'a4']) {
      server.arrive(each);
      server.run();
      server.failed(each);
      server.accepted(each);
    }
    server.arrive('a5');
    expect(server.run()).toEqual(['wait until 700']);
  });
});
