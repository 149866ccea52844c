import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { start } from '@causeway/lab/io';

/** What a program needs of its guest. */
export interface GuestNeeds {
  /** Modules of the guest's kernel, which cannot load any by itself. */
  readonly modules: readonly string[];
  /** MiB; 512 when absent. */
  readonly memory?: number;
  /** The guest is ended after so many seconds; 300 when absent. A guest boots in one or two. */
  readonly limit?: number;
}

const init = fileURLToPath(new URL('../init.sh', import.meta.url));

/**
 * The core on which a guest runs. A guest and its processes are processes of the machine that take turns thousands of times a second:
 * on two cores each turn waits until the other core is awake, which doubles the time. Guests of tests that run at the same time have
 * cores of their own, by the number of vitest's worker.
 */
function coreOf(worker = process.env['VITEST_POOL_ID'] ?? '1'): string {
  const allowed = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const cores = allowed.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return `${cores[(Number(worker) - 1) % cores.length] ?? 0}`;
}

/**
 * Runs a program in a User-Mode Linux guest with the machine's files. Returns the program's result, which it prints (`report`).
 * Throws what the guest said if it ends in another way.
 */
export async function runInUml(program: string, { modules, memory = 512, limit = 300 }: GuestNeeds): Promise<unknown> {
  const kernel = ['root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'rw', `mem=${memory}M`, 'quiet'];
  const console = ['con=null', 'con0=fd:0,fd:1'];
  const words = [`uml_node=${process.execPath}`, `uml_program=${program}`, `uml_modules=${modules.join(',')}`];
  const command = ['taskset', '--cpu-list', coreOf(), 'linux.uml', ...kernel, ...console, `init=${init}`, ...words];
  const { stdout, stderr } = await start('timeout', ['-k', '5', `${limit}`, ...command]).outcome;
  const [, result] = /^uml: result (.*?)\r?$/m.exec(stdout) ?? [];
  if (result === undefined || !/^uml: exit 0\r?$/m.test(stdout)) throw new Error(`the guest said:\n${stdout}${stderr}`);
  return JSON.parse(result);
}
