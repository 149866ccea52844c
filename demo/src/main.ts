import { LabStage } from './io/lab-stage.ts';
import { SimStage } from './sim-stage.ts';
import type { Stage } from './stage.ts';
import { tellStory } from './story.ts';

const usage = `usage: npm run demo [-- --once] [-- --simulated]

  --once       take the lab down when the story is told, and exit
  --simulated  on a simulated cluster in this process: any system, no root`;

const flags = new Set(process.argv.slice(2));
const unknown = [...flags].filter((flag) => flag !== '--once' && flag !== '--simulated');
if (unknown.length > 0) {
  console.error(`demo: ${unknown.join(', ')} is no option\n\n${usage}`);
  process.exit(2);
}

const say = (line: string): void => console.log(line);
const stage: Stage = flags.has('--simulated') ? new SimStage() : new LabStage();
process.exitCode = await perform(stage, flags.has('--once') || flags.has('--simulated'));

async function perform(on: Stage, once: boolean): Promise<number> {
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('interrupted'));
  });
  let code = 0;
  try {
    say(`Causeway on ${on.title}`);
    const told = on.up(say).then(() => tellStory(on, say));
    told.catch(() => undefined);
    const ended = await Promise.race([told, interrupted]);
    if (ended === undefined) {
      say(`\nTry:\n${on.hints.map((hint) => `  ${hint}`).join('\n')}`);
      if (!once) await stayUp(interrupted);
    }
  } catch (error) {
    console.error(`\ndemo: ${error instanceof Error ? error.message : String(error)}`);
    code = 1;
  }
  say('\ntaking it down');
  await on.down();
  return code;
}

async function stayUp(interrupted: Promise<unknown>): Promise<void> {
  say('\nIt stays up until Ctrl-C.');
  const awake = setInterval(() => undefined, 60_000);
  await interrupted;
  clearInterval(awake);
}
