// Runs a command as a process group of its own: `node tools/as-group.mjs COMMAND [ARGUMENT]...`. When this program is ended
// (Ctrl-C, SIGTERM from `timeout` or npm) or the command ends, it ends the whole group. Without it, the workers of a command
// that is ended can go on for hours.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const [command, ...words] = process.argv.slice(2);
const child = spawn(command, words, { stdio: 'inherit', detached: true });
const endGroup = (signal) => {
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // All processes of the group have ended.
    if (error.code !== 'ESRCH') throw error;
  }
};

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => endGroup(signal));
child.once('exit', (code, signal) => {
  endGroup('SIGKILL');
  process.exit(code ?? 128 + constants.signals[signal]);
});
