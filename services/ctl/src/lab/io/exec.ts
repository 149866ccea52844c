import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { hostOf } from '../plan.ts';
import { hostEnvironment } from './environment.ts';
import { checkAlive, enterArguments } from './namespace.ts';
import { childrenByParent, type ProcessId, signalProcess } from './proc.ts';
import { checkRoot } from './requirements.ts';
import { initOf } from './service.ts';
import { type Lab, loadLab } from './state.ts';

/** Passed on to the command. A terminal sends the first two to the whole foreground group, the command included. */
const fromTerminal = ['SIGINT', 'SIGQUIT'] as const;
const passed = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', ...fromTerminal] as const;

/** Name by which the switch is entered, to look at what goes over the underlay. */
export const switchName = 'switch';

/**
 * Runs a command inside a host (or the switch) with this process's stdin, stdout and stderr; answers its exit status,
 * 128 + the number of a signal that ended it. Throws `lab-unknown`, `lab-host-unknown`.
 */
export async function labExec(name: string, host: string, command: readonly string[]): Promise<number> {
  checkRoot();
  const lab = await loadLab(name);
  const init = await entrance(lab, host);
  const child = spawn('nsenter', [...enterArguments(init), ...command], {
    stdio: 'inherit',
    env: { ...hostEnvironment(lab) },
  });
  const pass = (signal: NodeJS.Signals): void => {
    if (process.stdin.isTTY && (fromTerminal as readonly string[]).includes(signal)) return;
    void signalChild(child.pid, signal);
  };
  for (const signal of passed) process.on(signal, pass);
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  } finally {
    for (const signal of passed) process.off(signal, pass);
  }
}

/** The process whose namespaces `host` is. */
export async function entrance(lab: Lab, host: string): Promise<ProcessId> {
  const init = host === switchName ? lab.switch : initOf(lab, hostOf(lab.plan, host));
  await checkAlive(init, host);
  return init;
}

/** `nsenter` waits for the command, its only child, and hands no signal on. */
export async function signalChild(nsenter: number | undefined, signal: NodeJS.Signals): Promise<void> {
  if (nsenter === undefined) return;
  for (const child of (await childrenByParent()).get(nsenter) ?? []) await signalProcess(child, signal);
}
