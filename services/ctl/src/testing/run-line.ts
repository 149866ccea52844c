import type { Random } from '@causeway/runtime';
import { FakeClock, SeededRandom } from '@causeway/runtime/testing';
import type { CommandBuilder } from '../command.ts';
import type { Context, Output } from '../context.ts';
import type { HostVariables } from '../host-settings.ts';
import { run } from '../run.ts';
import { FakeConnection, type FakeServers, type RecordedCall } from './fake-clients.ts';

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
  readonly calls: readonly RecordedCall[];
  readonly connection: FakeConnection;
}

export interface World extends FakeServers {
  readonly clock?: FakeClock;
  /** Several lines of one test need different request ids. */
  readonly random?: Random;
  readonly signal?: AbortSignal;
  /** Variables of the systemd units on this host. */
  readonly variables?: HostVariables;
  /** The managers of the context in use. */
  readonly managersOfContext?: readonly string[];
  readonly tty?: boolean;
  readonly more?: readonly CommandBuilder[];
}

/** Keeps what is written. */
export class Page implements Output {
  text = '';
  readonly isTty: boolean;
  readonly colour: boolean;

  constructor(isTty: boolean) {
    this.isTty = isTty;
    this.colour = isTty;
  }

  write(text: string): void {
    this.text += text;
  }
}

/** Runs a line such as "network list -o json" as the program would, in this process and with the given servers. */
export async function runLine(line: string | readonly string[], world: World = {}): Promise<Outcome> {
  const stdout = new Page(world.tty ?? false);
  const stderr = new Page(world.tty ?? false);
  const connection = new FakeConnection(world);
  const context: Context = {
    stdout,
    stderr,
    clock: world.clock ?? new FakeClock(),
    random: world.random ?? new SeededRandom(7),
    signal: world.signal ?? new AbortController().signal,
    connect: connection.connect,
    hostVariables: async () => world.variables ?? {},
    managersOfContext: async () => world.managersOfContext ?? [],
    version: '1.2.3',
    runtime: 'node v20.20.2',
    exitCode: 0,
  };
  const words = typeof line === 'string' ? line.split(' ') : line;
  const code = await run(words, context, world.more);
  return { stdout: stdout.text, stderr: stderr.text, code, calls: connection.calls, connection };
}

/**
 * What a person at the terminal would see: lines of stderr begin with "!", and an exit code other than 0 is in brackets.
 */
export function transcript(line: string, outcome: Outcome): string {
  const talk = outcome.stderr.replaceAll(/^(?=.)/gm, '! ');
  return `$ causeway ${line}\n${outcome.stdout}${talk}${outcome.code === 0 ? '' : `[exit ${outcome.code}]\n`}`;
}
