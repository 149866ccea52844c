import { spawn } from 'node:child_process';
import { hostOf } from '../plan.ts';
import { hostEnvironment } from './environment.ts';
import { checkAlive, enterArguments } from './namespace.ts';
import { childrenByParent, type ProcessId, signalProcess } from './proc.ts';
import { exitStatus } from './process.ts';
import { initOf, type LabRecord } from './state.ts';

/**
 * Signals that are passed to the command. A terminal sends the first two to the whole foreground group, which includes
 * the command.
 */
const fromTerminal = ['SIGINT', 'SIGQUIT'] as const;
const passed = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', ...fromTerminal] as const;

/** Name under which commands enter the switch, to watch the traffic of the underlay. */
const switchName = 'switch';

/** A command line for this machine, and its environment. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** How to run a command inside a host or the switch. Throws `lab-host-unknown`. */
export async function commandIn(lab: LabRecord, host: string, words: readonly string[]): Promise<Command> {
  const enter = enterArguments(await entrance(lab, host));
  return { command: 'nsenter', args: [...enter, ...words], env: hostEnvironment(lab) };
}

/** Runs the command with this process's stdin, stdout and stderr, and passes signals on; resolves to its exit status. */
export async function execIn(lab: LabRecord, host: string, words: readonly string[]): Promise<number> {
  const { command, args, env } = await commandIn(lab, host, words);
  const child = spawn(command, args, { stdio: 'inherit', env: { ...env } });
  const pass = (signal: NodeJS.Signals): void => {
    if (process.stdin.isTTY && (fromTerminal as readonly string[]).includes(signal)) return;
    void signalChild(child.pid, signal);
  };
  for (const signal of passed) process.on(signal, pass);
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(exitStatus(code, signal)));
    });
  } finally {
    for (const signal of passed) process.off(signal, pass);
  }
}

/** The first process of the namespaces of `host`. */
async function entrance(lab: LabRecord, host: string): Promise<ProcessId> {
  const init = host === switchName ? lab.switch : initOf(lab, hostOf(lab.plan, host));
  await checkAlive(init, host);
  return init;
}

/** `nsenter` waits for its only child, the command, and passes no signals on. */
export async function signalChild(nsenter: number | undefined, signal: NodeJS.Signals): Promise<void> {
  if (nsenter === undefined) return;
  for (const child of (await childrenByParent()).get(nsenter) ?? []) await signalProcess(child, signal);
}
