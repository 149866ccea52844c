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
 * Runs a program in a User-Mode Linux guest with the machine's files. Returns the program's result, which it prints (`report`).
 * Throws what the guest said if it ends in another way.
 */
export async function runInUml(program: string, { modules, memory = 512, limit = 300 }: GuestNeeds): Promise<unknown> {
  const kernel = ['root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'rw', `mem=${memory}M`, 'quiet'];
  const console = ['con=null', 'con0=fd:0,fd:1'];
  const words = [`uml_node=${process.execPath}`, `uml_program=${program}`, `uml_modules=${modules.join(',')}`];
  const command = ['linux.uml', ...kernel, ...console, `init=${init}`, ...words];
  const { stdout, stderr } = await start('timeout', ['-k', '5', `${limit}`, ...command]).outcome;
  const [, result] = /^uml: result (.*?)\r?$/m.exec(stdout) ?? [];
  if (result === undefined || !/^uml: exit 0\r?$/m.test(stdout)) throw new Error(`the guest said:\n${stdout}${stderr}`);
  return JSON.parse(result);
}
