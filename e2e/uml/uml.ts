import { fileURLToPath } from 'node:url';
import { start } from '@causeway/lab/io';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
/** Seconds. A guest boots in one or two; Node needs several on the guest's single emulated CPU. */
const limit = '150';

/**
 * Runs a program of this folder in a User-Mode Linux guest with the machine's files, for features that the machine's kernel
 * lacks. Returns the program's result, which it prints. `modules` are modules of the guest's kernel.
 */
export async function runInUml(program: string, modules: readonly string[]): Promise<unknown> {
  const kernel = ['root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'rw', 'mem=512M', 'quiet'];
  const console = ['con=null', 'con0=fd:0,fd:1'];
  const words = [`uml_node=${process.execPath}`, `uml_program=${here(program)}`, `uml_modules=${modules.join(',')}`];
  const command = ['linux.uml', ...kernel, ...console, `init=${here('init.sh')}`, ...words];
  const { stdout, stderr } = await start('timeout', ['-k', '5', limit, ...command]).outcome;
  const [, result] = /^uml: result (.*?)\r?$/m.exec(stdout) ?? [];
  if (result === undefined || !/^uml: exit 0\r?$/m.test(stdout)) throw new Error(`the guest said:\n${stdout}${stderr}`);
  return JSON.parse(result);
}
